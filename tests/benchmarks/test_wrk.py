"""The load's result is read as it is, and a run that means nothing is no result."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.serve.errors import BenchError
from benchmarks.serve.protocols import PREDICT
from benchmarks.serve.wrk import Load, read_result, run_wrk

PRINTED = """Running 2s test @ http://127.0.0.1:40001/predict
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.93ms  305.76us   5.55ms   88.37%
    Req/Sec     8.24k   712.01     9.13k    82.50%
  16401 requests in 2.00s, 3.28MB read
Requests/sec:   8199.82
Transfer/sec:      1.64MB
{"requests":16401,"seconds":2.000165,"p50_ms":1.905,"p99_ms":3.021,"refused":0,"broken":0}
"""


@pytest.fixture
def fake_wrk(tmp_path: Path) -> Callable[[str, int], str]:
    """A program that says what wrk would say, and keeps the bodies it was given in `bodies`."""

    def write(last_line: str, code: int = 0) -> str:
        program = tmp_path / "wrk"
        # The file of bodies follows the double dash.
        program.write_text(
            '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\n'
            f"cp \"$2\" {tmp_path}/bodies\necho '{last_line}'\nexit {code}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return os.fspath(program)

    return write


def test_the_last_line_is_the_result() -> None:
    """wrk's own report comes first; the line of JSON has the digits it rounds away."""
    load = read_result(PRINTED)

    assert Load(16401, 2.000165, 1.905, 3.021, 0, 0) == load
    assert pytest.approx(8199.82, abs=0.01) == load.per_second


@pytest.mark.parametrize("printed", ["", "Segmentation fault", '{"requests": "many"}', PRINTED + "unable to connect\n"])
def test_anything_else_is_an_error(printed: str) -> None:
    """What can't be read is shown, not guessed at."""
    with pytest.raises(BenchError, match="expected a line of JSON"):
        read_result(printed)


def test_no_answer_at_all_is_an_error() -> None:
    """A rate of nothing is no rate."""
    with pytest.raises(BenchError, match="nothing was answered"):
        read_result('{"requests":0,"seconds":2.0,"p50_ms":0,"p99_ms":0,"refused":0,"broken":0}')


@pytest.mark.parametrize(("refused", "broken"), [(11, 0), (0, 11), (6, 5)])
def test_a_service_that_refuses_is_not_measured(fake_wrk: Callable[[str, int], str], refused: int, broken: int) -> None:
    """An error page is answered faster than an applicant."""
    line = f'{{"requests":10000,"seconds":1,"p50_ms":1,"p99_ms":1,"refused":{refused},"broken":{broken}}}'
    program = fake_wrk(line, 0)

    with pytest.raises(BenchError, match=f"of 10000 requests {refused} were refused and {broken} connections broke"):
        run_wrk(program, "http://127.0.0.1:1/predict", [PREDICT.write([[1.0]])], 1, 1)


def test_a_failure_of_wrk_is_told(fake_wrk: Callable[[str, int], str]) -> None:
    """Its own words, and whom it was to load."""
    program = fake_wrk("unable to connect to 127.0.0.1:1", 1)

    with pytest.raises(BenchError, match=r"wrk failed on http://127\.0\.0\.1:1/: unable to connect"):
        run_wrk(program, "http://127.0.0.1:1/", [PREDICT.write([[1.0]])], 1, 1)


def test_bodies_are_handed_over_with_their_lengths(fake_wrk: Callable[[str, int], str], tmp_path: Path) -> None:
    """A binary body may hold line ends: its length tells where it ends."""
    program = fake_wrk('{"requests":9,"seconds":1,"p50_ms":1,"p99_ms":1,"refused":0,"broken":0}', 0)

    run_wrk(program, "http://127.0.0.1:1/", [PREDICT.write([[1.0]]), PREDICT.write([[2.5]])], 1, 1)

    assert b'16\n{"data":[[1.0]]}\n16\n{"data":[[2.5]]}\n' == (tmp_path / "bodies").read_bytes()
