"""The times of pytest-benchmark become a table."""

from __future__ import annotations

import msgspec

from benchmarks.serve.micro import BenchmarkFile, write_steps
from tests.tools import require

FILE = b"""{"machine_info": {}, "benchmarks": [
    {"name": "test_graph_one[wide-reasons]", "stats": {"min": 1.05e-05, "median": 2e-05, "rounds": 9}},
    {"name": "test_decode_score", "stats": {"min": 0.0012345, "median": 0.002, "rounds": 9}}]}"""


def test_each_step_has_a_line() -> None:
    """With its name in words and microseconds, in the order of the file."""
    require("git")
    written = write_steps(msgspec.json.decode(FILE, type=BenchmarkFile))

    assert "| graph one (wide-reasons) | 10.5 | 20.0 |\n| decode score | 1,234.5 | 2,000.0 |\n" in written
