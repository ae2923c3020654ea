"""Faults of the database while decisions are recorded: killed, hanging, full."""

from __future__ import annotations

import os
import resource
import signal
import time

import httpx

from tests.decisions.ledger import Ledger
from tests.decisions.proxy import Proxy
from tests.postgres_server import PostgresServer
from tests.serve.running import WAIT_SECONDS, Service, wait_until
from tests.soak.trial import Result, pause, trial

RECOVERY_SECONDS = 5.0
"""Maximum time until a database that is back is used again."""

ANSWER_SECONDS = 7.0
"""Maximum time of an answer while the database hangs; recorder.WRITE_SECONDS is 5."""

FREE_BYTES = 200_000
"""What a full disk still takes."""


def kill_postgresql(content: bytes, server: PostgresServer, times: int) -> Result:
    """Kill PostgreSQL under load this many times: 503 meanwhile, and 200 by itself once it is back."""
    faults = []
    with trial(content, server.create_database()) as one:
        with one.serving() as service:

            def kill() -> None:
                for _ in range(times):
                    pause()
                    server.kill()
                    wait_until(lambda: not is_ready(service))
                    if (live := service.ask("GET", "/livez").status_code) != 200:
                        faults.append(f"/livez answers {live} without the database, expected 200")
                    server.start()
                    one.wait_for_answers()
                    if one.seconds[-1] > RECOVERY_SECONDS:
                        faults.append(f"the database was used {one.seconds[-1]:.1f} s after it was back")
                pause()

            one.load(service, kill)
            faults += check_metrics(service, one.ledger)
            service.stop()
        return one.finish(may_refuse=True, faults=faults)


def check_metrics(service: Service, ledger: Ledger) -> list[str]:
    """Compare GET /metrics with what clients have seen since the service started."""
    found = service.metrics()
    faults = []
    if found["credit_decisions_recorded_total"] < len(ledger.answered):
        faults.append(
            f"credit_decisions_recorded_total is {found['credit_decisions_recorded_total']:g}, expected at least "
            f"{len(ledger.answered)}"
        )
    if ledger.statuses[503] and not found["credit_decisions_not_recorded_total"]:
        faults.append(f"credit_decisions_not_recorded_total is 0 after {ledger.statuses[503]} answers of 503")
    if not found["credit_decisions_connected"]:
        faults.append("credit_decisions_connected is 0, expected 1")
    return faults


def spool(content: bytes, server: PostgresServer, times: int) -> Result:
    """With DECISIONS=best-effort, kill PostgreSQL under load: 200 all the time, and all is shipped once it is back.

    Every other time the service is killed while its records wait in the spool; the next one ships them.
    """
    faults = []
    with trial(content, server.create_database(), DECISIONS="best-effort") as one:
        spool_folder = one.folder / "spool"
        for turn in range(times):
            with one.serving() as service:

                def lose(service: Service = service, turn: int = turn) -> None:
                    pause()
                    server.kill()
                    wait_until(lambda: bool(list(spool_folder.glob("*.db"))))
                    one.wait_for_answers()
                    pause()
                    if not is_ready(service):
                        faults.append("/readyz doesn't answer 200 while decisions are spooled")
                    if not service.metrics()["credit_decisions_spooled"]:
                        faults.append("credit_decisions_spooled is 0 without the database")
                    if turn % 2:
                        os.killpg(service.process.pid, signal.SIGKILL)
                        service.process.wait()
                        server.start()
                        return
                    server.start()
                    began = time.monotonic()
                    wait_until(lambda: not service.metrics()["credit_decisions_spooled"])
                    one.seconds.append(time.monotonic() - began)
                    # A second loss of the same service.
                    server.restart()
                    pause()

                one.load(service, lose)
                if service.process.poll() is None:
                    wait_until(lambda: not service.metrics()["credit_decisions_spooled"])
                    service.stop()
        with one.serving() as service:
            wait_until(lambda: not list(spool_folder.glob("*.db")))
            service.stop()
        return one.finish(faults=faults)


def unplug(content: bytes, server: PostgresServer, times: int, **settings: str) -> Result:
    """A network that takes everything and delivers nothing, in turn before the database and on the way back.

    The database gets what was sent before once the network is back, when the service has long given up.
    """
    faults = []
    url = server.create_database()
    with Proxy(server.port) as proxy, trial(content, url.replace(str(server.port), str(proxy.port)), **settings) as one:
        with one.serving() as service:

            def lose() -> None:
                for turn in range(times):
                    one.wait_for_answers()
                    pause()
                    (proxy.to_client if turn % 2 else proxy.to_server).clear()
                    faults.extend(check_answer_times(service, one.ledger))
                    wait_until(lambda: not service.metrics()["credit_decisions_connected"])
                    pause()
                    proxy.unplug()
                    pause()
                    proxy.plug()
                    one.wait_for_answers()
                wait_until(lambda: not service.metrics()["credit_decisions_spooled"])

            one.load(service, lose)
            service.stop()
        one.url = url
        return one.finish(may_refuse="DECISIONS" not in settings, faults=faults)


def check_answer_times(service: Service, ledger: Ledger) -> list[str]:
    """A decision is answered within its time limit, while other endpoints answer at once."""
    faults = []
    began = time.monotonic()
    with httpx.Client(base_url=service.base, trust_env=False, timeout=WAIT_SECONDS) as client:
        for path in ("/livez", "/metrics", "/model"):
            client.get(path)
        if (seconds := time.monotonic() - began) > 1:
            faults.append(f"/livez, /metrics and /model took {seconds:.1f} s while the database hangs")
        answer = client.post("/score", content=ledger.make_body(1))
        if answer.status_code == 200:
            ledger.note(answer.content)
    if (seconds := time.monotonic() - began) > ANSWER_SECONDS:
        faults.append(f"an answer took {seconds:.1f} s while the database hangs, expected {ANSWER_SECONDS:g} at most")
    return faults


def fill_disk(content: bytes) -> Result:
    """A SQLite file that can't grow: 503 with the reason in the log, and 200 once there is space again."""
    faults = []
    with trial(content, "") as one:
        with one.serving() as service:

            def fill() -> None:
                one.wait_for_answers()
                pause()
                size = max(path.stat().st_size for path in one.folder.glob("decisions.db*"))
                limit_file_size(service, size + FREE_BYTES)
                wait_until(lambda: one.ledger.statuses[503] > 0)
                pause()
                if not service.said("decisions can't be recorded"):
                    faults.append("the log doesn't say why decisions can't be recorded")
                limit_file_size(service, resource.RLIM_INFINITY)
                one.wait_for_answers()
                pause()

            one.load(service, fill)
            service.stop()
        return one.finish(may_refuse=True, faults=faults)


def limit_file_size(service: Service, size: int) -> None:
    """Make all writes of a service beyond this size fail, as a full disk does."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def is_ready(service: Service) -> bool:
    """Whether GET /readyz says so."""
    return service.ask("GET", "/readyz").status_code == 200
