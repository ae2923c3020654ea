"""Every step of the scaling benchmark has a line in the table."""

from __future__ import annotations

from benchmarks.serve.scaling import list_steps, write_scaling
from benchmarks.serve.wrk import LoadResult
from tests.tools import require


def test_every_step_has_a_line() -> None:
    """No step is there twice."""
    require("git")
    steps = list_steps()

    table = write_scaling(steps, [[(LoadResult(100, 1.0, 1.0, 2.0, 0, 0), 60.0 + step.value / 10)] for step in steps])

    for step in steps:
        assert f"| {step.series}: {step.value:,} | 100 |" in table
    assert len(steps) == len({(step.series, step.value) for step in steps})
