"""Start a service on its own core, wait for its first correct answer, and stop it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.environments import find_python
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import Cores
from benchmarks.serve.models import TrainedModel
from benchmarks.serve.peers import Peer
from benchmarks.serve.processes import kill_remaining, read_start_times
from benchmarks.serve.protocols import Protocol, Request
from benchmarks.serve.responses import TIMEOUT_SECONDS, is_correct, post
from deploy.dyno import free_port

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
"""Variables that a service inherits; no other may influence a measurement."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of environments and logs, the checkout, and the cores."""

    build: Path
    root: Path
    cores: Cores


@dataclass(frozen=True, slots=True)
class Server:
    """A running service; `first_answer`: seconds from its start to its first correct answer."""

    peer: Peer
    port: int
    session: int
    first_answer: float

    def url(self, protocol: Protocol) -> str:
        """The URL of a protocol."""
        return f"http://127.0.0.1:{self.port}{protocol.path}"

    def post(self, protocol: Protocol, request: Request) -> bytes:
        """Post a request; returns the body of the response, raises BenchError unless it is 200."""
        return post(self.port, protocol.path, request)

    def check(self, protocol: Protocol, requests: list[tuple[Request, list[float]]]) -> None:
        """Post every request once; raises BenchError at the first wrong probability."""
        for request, expected in requests:
            answer = self.post(protocol, request)
            if not is_correct(answer, expected, protocol.read):
                raise BenchError(f"{self.peer.name} answered {answer[:200]!r}, expected {expected[:3]}: not measured")


@contextmanager
def run_server(
    peer: Peer,
    trained: TrainedModel,
    workspace: Workspace,
    response_lengths: dict[str, int],
    workers: int = 1,
    cores: set[int] | None = None,
) -> Iterator[Server]:
    """Run a service; raises BenchError if it gives no correct answer within TIMEOUT_SECONDS.

    `response_lengths`: the lengths of bare uvicorn's constant responses. `cores`: instead of the workspace's.
    """
    port, first = free_port(), peer.protocol.write(trained.rows[:1])
    python = find_python(peer, workspace.build)
    command = [word.format(python=python, port=port) for word in peer.command]
    log = workspace.build / "logs" / f"{peer.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = _environment(peer, trained, workspace, port, workers) | {
        key: str(value) for key, value in response_lengths.items()
    }
    pinned = cores or {workspace.cores.server}
    with log.open("wb") as output:
        # The child inherits the affinity; a preexec_fn would make Popen fork, which copies the page tables and is slow.
        os.sched_setaffinity(0, pinned)
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=workspace.root if peer.name == "ours" else peer.folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.sched_setaffinity(0, {workspace.cores.load})
        try:
            while not _answers(peer, port, first, trained.probability[:1]):
                if process.poll() is not None or time.perf_counter() - started > TIMEOUT_SECONDS:
                    raise BenchError(
                        f"{peer.name} gave no correct answer; the end of {log}:\n{log.read_text()[-2000:]}"
                    )
                time.sleep(0.001)
            yield Server(peer, port, process.pid, time.perf_counter() - started)
            # The log is large and only of use after a failure.
            log.unlink()
        finally:
            # Before it ends: a worker in another session can't be found without its parent process.
            start_times = read_start_times(process.pid)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(4)
            kill_remaining(start_times)
            process.wait()


def _answers(peer: Peer, port: int, request: Request, expected: list[float]) -> bool:
    try:
        answer = post(port, peer.protocol.path, request)
    except (OSError, http.client.HTTPException, BenchError):
        return False
    return peer.name == "bare_uvicorn" or is_correct(answer, expected, peer.protocol.read)


def _environment(peer: Peer, trained: TrainedModel, workspace: Workspace, port: int, workers: int) -> dict[str, str]:
    ours = {name: os.environ[name] for name in INHERITED if name in os.environ}
    model = str(trained.folder / peer.model_file)
    return ours | {
        "PORT": str(port),
        "MODEL": model,
        "MODEL_PATH": model,
        "WEB_CONCURRENCY": str(workers),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(workspace.build / "bentoml-home"),
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(free_port()),
        "MLSERVER_METRICS_PORT": str(free_port()),
        "MLSERVER_MODEL_URI": model,
        "PYTHONUNBUFFERED": "1",
    }
