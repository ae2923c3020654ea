"""wrk's result is read exactly, and an invalid run is an error."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.serve.errors import BenchError
from benchmarks.serve.protocols import PREDICT
from benchmarks.serve.wrk import LoadResult, read_result, run_wrk

PRINTED = """Running 2s test @ http://127.0.0.1:40001/predict
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.93ms  305.76us   5.55ms   88.37%
    Req/Sec     8.24k   712.01     9.13k    82.50%
  16401 requests in 2.00s, 3.28MB read
Requests/sec:   8199.82
Transfer/sec:      1.64MB
{"requests":16401,"seconds":2.000165,"p50_ms":1.905,"p99_ms":3.021,"error_responses":0,"connection_errors":0}
"""


@pytest.fixture
def fake_wrk(tmp_path: Path) -> Callable[[str, int], str]:
    """Make a program that prints a line as wrk would and copies its input to the file `bodies`."""

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


def test_the_last_line_of_the_output_is_read() -> None:
    """wrk's own report, which is rounded, comes first."""
    load = read_result(PRINTED)

    assert load == LoadResult(16401, 2.000165, 1.905, 3.021, 0, 0)
    assert load.per_second == pytest.approx(8199.82, abs=0.01)


@pytest.mark.parametrize("printed", ["", "Segmentation fault", '{"requests": "many"}', PRINTED + "unable to connect\n"])
def test_other_output_is_an_error(printed: str) -> None:
    """It is shown."""
    with pytest.raises(BenchError, match="expected a line of JSON"):
        read_result(printed)


def test_a_run_without_answers_is_an_error() -> None:
    """It has no rate."""
    with pytest.raises(BenchError, match="no request was answered"):
        read_result('{"requests":0,"seconds":2.0,"p50_ms":0,"p99_ms":0,"error_responses":0,"connection_errors":0}')


@pytest.mark.parametrize(("responses", "connections"), [(11, 0), (0, 11), (6, 5)])
def test_too_many_errors_are_an_error(fake_wrk: Callable[[str, int], str], responses: int, connections: int) -> None:
    """Error responses are faster than scores, so that the rate would be wrong."""
    errors = f'"error_responses":{responses},"connection_errors":{connections}'
    program = fake_wrk(f'{{"requests":10000,"seconds":1,"p50_ms":1,"p99_ms":1,{errors}}}', 0)

    with pytest.raises(BenchError, match=f"{responses} error responses and {connections} connection errors in 10000 "):
        run_wrk(program, "http://127.0.0.1:1/predict", [PREDICT.write([[1.0]])], 1, 1)


def test_a_failure_of_wrk_is_an_error(fake_wrk: Callable[[str, int], str]) -> None:
    """It shows the URL and what wrk printed."""
    program = fake_wrk("unable to connect to 127.0.0.1:1", 1)

    with pytest.raises(BenchError, match=r"wrk failed on http://127\.0\.0\.1:1/: unable to connect"):
        run_wrk(program, "http://127.0.0.1:1/", [PREDICT.write([[1.0]])], 1, 1)


def test_bodies_are_written_with_their_lengths(fake_wrk: Callable[[str, int], str], tmp_path: Path) -> None:
    """Because a binary body may contain line ends."""
    program = fake_wrk('{"requests":9,"seconds":1,"p50_ms":1,"p99_ms":1,"error_responses":0,"connection_errors":0}', 0)

    run_wrk(program, "http://127.0.0.1:1/", [PREDICT.write([[1.0]]), PREDICT.write([[2.5]])], 1, 1)

    assert (tmp_path / "bodies").read_bytes() == b'16\n{"data":[[1.0]]}\n16\n{"data":[[2.5]]}\n'
