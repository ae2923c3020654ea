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
        ("limit", "boosting"): [1000],
        ("limit", "alone"): [1000],
        ("ours", "logistic"): [700],
        ("ours", "boosting"): [599],
        ("ours", "alone"): [800],
    }

    rows = {title: rest for title, *rest in list_bars(make_results(rates))}

    assert rows["logistic, 16 connections / bare uvicorn"] == ["≥ 0.70 ×", "0.70 ×", "reached"]
    assert rows["boosting, 400 trees / bare uvicorn"] == ["≥ 0.60 ×", "0.60 ×", "missed"]
    assert rows["one connection, p50 / bare uvicorn's"] == ["≤ 1.15 ×", "1.25 ×", "missed"]
    assert rows["logistic / the Flask design"] == ["≥ 30.00 ×", "–", "not measured"]
    assert rows["memory after 10,000 requests"] == ["≤ 75.0 MB", "71.0 MB", "reached"]
    assert len(BARS) == len(rows)
