"""All processes of a service are found and killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.serve.processes import cpu_seconds, kill_remaining, list_processes, read_start_times, service_megabytes

CHILD = "print('ready', flush=True); input()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True, stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""
"""A supervisor with a worker in another session, as BentoML has."""


@pytest.fixture
def supervisor() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running supervisor, and the process id of its worker."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, start_new_session=True, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        printed = {process.stdout.readline().strip(), process.stdout.readline().strip()}
        yield process, int(next(word for word in printed if word.isdigit()))
        process.kill()


def test_a_worker_in_another_session_belongs_to_its_service(supervisor: tuple[subprocess.Popen[str], int]) -> None:
    """Its memory and CPU time count as the service's."""
    process, worker = supervisor

    assert set(list_processes(process.pid)) == {process.pid, worker}
    assert 5 < service_megabytes(process.pid) < 100
    assert cpu_seconds(process.pid) >= 0


def test_a_worker_that_outlives_its_supervisor_is_killed(supervisor: tuple[subprocess.Popen[str], int]) -> None:
    """A process with that id and another start time is not."""
    process, worker = supervisor
    start_times = read_start_times(process.pid)

    kill_remaining({worker: "0"})
    assert worker in list_processes(process.pid)
    kill_remaining(start_times)
    process.wait()

    assert list_processes(process.pid) == []
