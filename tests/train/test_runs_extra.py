"""The record of runs of optional libraries."""

from __future__ import annotations

from dataclasses import replace

from tests.train.test_runs import CONTEXT, TRIAL
from train.candidates import CANDIDATES


def test_a_run_of_an_optional_library_has_its_version() -> None:
    """In addition to the versions of the required libraries."""
    trial = replace(TRIAL, candidate=CANDIDATES["lightgbm"])

    assert CONTEXT.make_run(trial).libraries.keys() == {"numpy", "lightgbm"}
