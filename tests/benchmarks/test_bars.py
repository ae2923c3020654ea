"""The bars say what was reached, what was missed, and what nobody measured."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.serve.bars import BARS, list_bars
from benchmarks.serve.results import Results
from tests.benchmarks.conftest import Rates


def test_verdicts(make_results: Callable[[Rates], Results]) -> None:
    """On the bound is reached, just beyond is missed."""
    rates: Rates = {
        ("limit", "logistic"): [1000],
        ("limit", "score"): [1000],
        ("limit", "alone"): [1000],
        ("ours", "logistic"): [420],
        ("ours", "score"): [249],
        ("ours", "alone"): [620],
    }

    rows = {title: rest for title, *rest in list_bars(make_results(rates))}

    assert rows["logistic, 16 connections / bare uvicorn"] == ["≥ 0.42 ×", "0.42 ×", "reached"]
    assert rows["/score, four reasons, boosting / bare uvicorn"] == ["≥ 0.25 ×", "0.25 ×", "missed"]
    assert rows["one connection, p50 / bare uvicorn's"] == ["≤ 1.60 ×", "1.61 ×", "missed"]
    assert rows["logistic / the Flask design"] == ["≥ 22.00 ×", "–", "not measured"]
    assert rows["memory after 10,000 requests"] == ["≤ 90.0 MB", "71.0 MB", "reached"]
    assert len(BARS) == len(rows)
