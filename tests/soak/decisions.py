"""Faults of the service while decisions are recorded: kills, shutdown and reloads under load, a clock that is set back.

Together with tests/soak/databases.py the part `decisions` of `make soak`; tests/decisions/test_faults.py has a few.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from decisions.store import open_store
from deploy.dyno import free_port
from tests.postgres_server import PostgresServer
from tests.serve.files import with_contract
from tests.serve.running import ROOT, SERVE, WAIT_SECONDS, Service, environment, running, wait_until
from tests.soak import databases
from tests.soak.service import ARTIFACT
from tests.soak.trial import Result, pause, trial

SERVICE_KILLS, DATABASE_KILLS = 25, 20
"""Kills of the service with each store, and of PostgreSQL."""

LATER_CLOCK = """
import os, time

real = time.time_ns
time.time_ns = lambda: real() - 3_600_000_000_000 * os.path.exists(os.environ["SET_BACK"])
"""
"""sitecustomize.py of a process whose clock goes back an hour while a file exists."""

START_SECONDS = 1.5
"""Time in which a start is killed."""


def kill_service(content: bytes, url: str, times: int, workers: int = 1) -> Result:
    """Kill the service and all its workers under load this many times, each time starting another on the same store."""
    with trial(content, url, WEB_CONCURRENCY=str(workers)) as one:
        for _ in range(times):
            with one.serving() as service:

                def kill(service: Service = service) -> None:
                    one.wait_for_answers()
                    pause()
                    os.killpg(service.process.pid, signal.SIGKILL)
                    service.process.wait()

                one.load(service, kill)
        return one.finish()


def kill_starting(content: bytes, url: str, times: int) -> Result:
    """Kill the service at different moments of its start, while it migrates an empty database; then start it."""
    with trial(content, url) as one:
        model = one.folder / "model.onnx"
        model.write_bytes(content)
        given = environment(MODEL_PATH=str(model), PORT=str(free_port()), DECISIONS_URL=one.url)
        for turn in range(times):
            starting = subprocess.Popen(
                SERVE, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            time.sleep(START_SECONDS * (turn + 1) / times)
            starting.kill()
            starting.wait()
        with one.serving() as service:
            one.load(service, one.wait_for_answers)
            service.stop()
        return one.finish()


def set_clock_back(content: bytes, url: str) -> Result:
    """Set the clock back an hour under load: ids keep growing in the order of the records."""
    with trial(content, url) as one:
        (one.folder / "sitecustomize.py").write_text(LATER_CLOCK)
        flag = one.folder / "back"
        with one.serving(PYTHONPATH=str(one.folder), SET_BACK=str(flag)) as service:

            def set_back() -> None:
                one.wait_for_answers()
                pause()
                flag.touch()
                pause()
                one.wait_for_answers()

            one.load(service, set_back)
            service.stop()
        return one.finish(faults=check_times(one.url))


def check_times(url: str) -> list[str]:
    """The times of the records of one process must go back, and those in their ids must not."""
    store = open_store(url, create=False)
    rows = list(store.query("SELECT id, time FROM records ORDER BY sequence"))
    store.close()
    in_ids = [int(decision_id[:8] + decision_id[9:13], 16) for decision_id, _ in rows]
    times = [time for _, time in rows]
    faults = []
    if times[-1] > times[0]:
        faults.append("the clock of the service wasn't set back")
    if in_ids != sorted(in_ids):
        faults.append("ids decrease after the clock was set back")
    return faults


def kill_workers(content: bytes, url: str, times: int) -> Result:
    """Kill one of two workers under load this many times."""
    with trial(content, url, WEB_CONCURRENCY="2") as one:
        with one.serving() as service:

            def kill() -> None:
                for turn in range(times):
                    pause()
                    os.kill(service.workers()[turn], signal.SIGKILL)
                    wait_until(partial(has_started, service, 2 + turn + 1))
                one.wait_for_answers()

            one.load(service, kill)
            service.stop()
        return one.finish()


def has_started(service: Service, workers: int) -> bool:
    """Whether so many workers have ever started."""
    return len(service.said("Application startup complete")) >= workers


def run_two_services(content: bytes, url: str) -> Result:
    """Two services of two workers each on one database, under load; both are stopped by SIGTERM under load."""
    with trial(content, url, WEB_CONCURRENCY="2") as one, TemporaryDirectory() as folder:
        given = {"DECISIONS_URL": one.url, "WEB_CONCURRENCY": "2"}
        with one.serving() as service, running(Path(folder), content, SERVE, **given) as other:

            def meanwhile() -> None:
                one.wait_for_answers()
                one.load(other, lambda: stop_both(service, other))

            one.load(service, meanwhile)
        return one.finish()


def stop_both(*services: Service) -> None:
    """Stop services under load, one after the other."""
    for service in services:
        pause()
        service.stop()


def stop_service(content: bytes, url: str, workers: int = 1) -> Result:
    """SIGTERM under load: what had been answered is on record, and the exit code is 0."""
    with trial(content, url, WEB_CONCURRENCY=str(workers)) as one:
        with one.serving() as service:

            def stop() -> None:
                one.wait_for_answers()
                pause()
                service.process.terminate()
                service.process.wait(WAIT_SECONDS)

            one.load(service, stop)
            code = service.process.returncode
        return one.finish(faults=[f"the service ended with code {code}, expected 0"] if code else [])


def reload_model(content: bytes, url: str, times: int) -> Result:
    """Replace the model file under load: every record names the file that decided, and each file is kept."""
    other = with_contract(content, version="2026.02.03-12345678")
    with trial(content, url) as one:
        with one.serving() as service:

            def replace() -> None:
                for turn in range(times):
                    version = service.version()
                    service.replace_model(content if turn % 2 else other)
                    wait_until(partial(is_replaced, service, version))
                    pause()

            one.load(service, replace)
            service.stop()
        return one.finish()


def is_replaced(service: Service, version: str) -> bool:
    """Whether another version of the model answers."""
    return service.version() != version


def make_trials(content: bytes, server: PostgresServer) -> dict[str, Callable[[], Result]]:
    """All trials by name."""
    on_each_store: dict[str, Callable[[bytes, str], Result]] = {
        f"{SERVICE_KILLS} × kill -9": partial(kill_service, times=SERVICE_KILLS),
        "10 × kill -9 of one of two workers": partial(kill_workers, times=10),
        "10 × kill -9 while it starts": partial(kill_starting, times=10),
        "two services of two workers": run_two_services,
        "SIGTERM": stop_service,
        "SIGTERM of two workers": partial(stop_service, workers=2),
        "10 reloads": partial(reload_model, times=10),
        "clock set back": set_clock_back,
    }
    trials: dict[str, Callable[[], Result]] = {}
    for name, run in on_each_store.items():
        trials[f"{name}, SQLite"] = partial(run, content, "")
        trials[f"{name}, PostgreSQL"] = partial(run, content, server.create_database())
    return trials | {
        f"{DATABASE_KILLS} × kill -9 of PostgreSQL": lambda: databases.kill_postgresql(content, server, DATABASE_KILLS),
        "6 × kill -9 of PostgreSQL, best-effort": lambda: databases.spool(content, server, 6),
        "4 × network unplugged": lambda: databases.unplug(content, server, 4),
        "4 × network unplugged, best-effort": lambda: databases.unplug(content, server, 4, DECISIONS="best-effort"),
        "full disk": lambda: databases.fill_disk(content),
    }


def run_trials() -> list[str]:
    """Run all trials and print what came of each; returns the faults."""
    faults = []
    with PostgresServer() as server:
        for name, run in make_trials(ARTIFACT.read_bytes(), server).items():
            began = time.monotonic()
            result = run()
            ledger, found = result.ledger, result.comparison
            seconds = time.monotonic() - began
            print(
                f"decisions, {name}: {found.answers:,} answered, {found.records:,} on record, "
                f"{ledger.statuses[503]:,} × 503, {ledger.lost} requests lost, {len(result.faults)} faults; "
                f"{max(result.seconds, default=0):.1f} s to go on at most; {seconds:.0f} s",
                flush=True,
            )
            faults += [f"decisions, {name}: {fault}" for fault in result.faults]
    return faults
