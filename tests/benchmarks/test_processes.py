"""The processes of a service are found, wherever they have gone, and ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.serve.processes import cpu_seconds, kill_left, members, name_births, resident_megabytes

CHILD = "print('ready', flush=True); input()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True, stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""
"""A supervisor with a worker in a session of its own, as BentoML has."""


@pytest.fixture
def supervisor() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor that has started its worker, and the worker's number."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, start_new_session=True, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        said = {process.stdout.readline().strip(), process.stdout.readline().strip()}
        yield process, int(next(word for word in said if word.isdigit()))
        process.kill()


def test_a_worker_in_another_session_belongs_to_its_service(supervisor: tuple[subprocess.Popen[str], int]) -> None:
    """Its memory and processor time are the service's."""
    process, worker = supervisor

    assert {process.pid, worker} == set(members(process.pid))
    assert 5 < resident_megabytes(process.pid) < 100
    assert 0 <= cpu_seconds(process.pid)


def test_what_outlives_its_supervisor_is_ended(supervisor: tuple[subprocess.Popen[str], int]) -> None:
    """Nothing of a service runs beside the next one; whoever was born at another time is somebody else."""
    process, worker = supervisor
    births = name_births(process.pid)

    kill_left({worker: "0"})
    assert worker in members(process.pid)
    kill_left(births)
    process.wait()

    assert [] == members(process.pid)
