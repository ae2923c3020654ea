"""One service at a time: started on a core of its own, asked until it answers rightly, watched, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.answers import PATIENCE_SECONDS, is_right, post
from benchmarks.serve.environments import find_python
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import Cores
from benchmarks.serve.models import Made
from benchmarks.serve.peers import Peer
from benchmarks.serve.processes import kill_left, name_births
from benchmarks.serve.protocols import Protocol, Request

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""Of our environment; nothing else may make one peer differ from another."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where measurements happen: the folder of environments and logs, the checkout, the cores."""

    build: Path
    root: Path
    cores: Cores


@dataclass(frozen=True, slots=True)
class Server:
    """A service that has answered rightly; `first_answer`: seconds from exec until it did."""

    peer: Peer
    port: int
    session: int
    first_answer: float

    def url(self, protocol: Protocol) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}{protocol.path}"

    def ask(self, protocol: Protocol, request: Request) -> bytes:
        """The body of the answer; raises BenchError unless it is a success."""
        return post(self.port, protocol.path, request)

    def check(self, protocol: Protocol, requests: list[tuple[Request, list[float]]]) -> None:
        """Post every body once; raises BenchError at the first probability that is wrong."""
        for request, expected in requests:
            answer = self.ask(protocol, request)
            if not is_right(answer, expected, protocol.read):
                raise BenchError(
                    f"{self.peer.name} answers {answer[:200]!r}, expected {expected[:3]}: don't measure it"
                )


@contextmanager
def start(
    peer: Peer, made: Made, place: Place, lengths: dict[str, int], workers: int = 1, cores: set[int] | None = None
) -> Iterator[Server]:
    """A running service; raises BenchError if it doesn't answer rightly in a minute.

    `lengths`: how long the limit's constants are. `cores`: other ones than the servers' usual.
    """
    port, first = find_port(), peer.protocol.write(made.rows[:1])
    python = find_python(peer, place.build)
    command = [word.format(python=python, port=port) for word in peer.command]
    log = place.build / "logs" / f"{peer.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = _environment(peer, made, place, port, workers) | {key: str(value) for key, value in lengths.items()}
    pinned = cores or {place.cores.server}
    with log.open("wb") as output:
        # The child inherits the core; asked for in the child itself, Popen would copy our whole address space first.
        os.sched_setaffinity(0, pinned)
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=place.root if peer.name == "ours" else peer.folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.sched_setaffinity(0, {place.cores.load})
        try:
            while not _answers(peer, port, first, made.probability[:1]):
                if process.poll() is not None or time.perf_counter() - started > PATIENCE_SECONDS:
                    raise BenchError(f"{peer.name} doesn't answer; the end of {log}:\n{log.read_text()[-2000:]}")
                time.sleep(0.001)
            yield Server(peer, port, process.pid, time.perf_counter() - started)
            # A line a request, and nobody reads it unless something failed.
            log.unlink()
        finally:
            # Asked while it lives: a worker in a session of its own could not be found again without its parent.
            births = name_births(process.pid)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(4)
            kill_left(births)
            process.wait()


def find_port() -> int:
    """A free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(peer: Peer, port: int, request: Request, expected: list[float]) -> bool:
    try:
        answer = post(port, peer.protocol.path, request)
    except (OSError, http.client.HTTPException, BenchError):
        return False
    return peer.name == "limit" or is_right(answer, expected, peer.protocol.read)


def _environment(peer: Peer, made: Made, place: Place, port: int, workers: int) -> dict[str, str]:
    ours = {name: os.environ[name] for name in KEPT if name in os.environ}
    model = str(made.folder / peer.takes)
    return ours | {
        "PORT": str(port),
        "MODEL": model,
        "MODEL_PATH": model,
        "WEB_CONCURRENCY": str(workers),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(place.build / "bentoml-home"),
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(find_port()),
        "MLSERVER_METRICS_PORT": str(find_port()),
        "MLSERVER_MODEL_URI": model,
        "PYTHONUNBUFFERED": "1",
    }
