"""Each target is met, missed or not measured."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.serve.results import Results
from benchmarks.serve.targets import TARGETS, list_targets
from tests.benchmarks.conftest import Rates


def test_each_target_has_a_verdict(make_results: Callable[[Rates], Results]) -> None:
    """A figure on the bound meets the target."""
    rates: Rates = {
        ("bare_uvicorn", "logistic"): [1000],
        ("bare_uvicorn", "score"): [1000],
        ("bare_uvicorn", "one_connection"): [1000],
        ("ours", "logistic"): [420],
        ("ours", "score"): [249],
        ("ours", "one_connection"): [620],
    }

    rows = {title: rest for title, *rest in list_targets(make_results(rates))}

    assert rows["logistic, 16 connections / bare uvicorn"] == ["≥ 0.42 ×", "0.42 ×", "met"]
    assert rows["/score, four reasons, boosting / bare uvicorn"] == ["≥ 0.25 ×", "0.25 ×", "missed"]
    assert rows["one connection, p50 / bare uvicorn's"] == ["≤ 1.60 ×", "1.61 ×", "missed"]
    assert rows["logistic / Flask"] == ["≥ 22.00 ×", "–", "not measured"]
    assert rows["memory after 10,000 requests"] == ["≤ 90.0 MB", "71.0 MB", "met"]
    assert len(rows) == len(TARGETS)
