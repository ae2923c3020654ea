"""Figures are medians over the rounds, ratios are taken within a round."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from benchmarks.serve.results import Memory, Results
from tests.benchmarks.conftest import Rates

Make = Callable[[Rates], Results]


def test_a_figure_is_the_median_of_the_rounds(make_results: Make) -> None:
    """One slow round does not change it."""
    results = make_results({("ours", "logistic"): [1000, 10, 1100]})

    assert results.per_second("ours", "logistic") == 1000
    assert results.p50_ms("ours", "logistic") == 1.0
    assert results.p99_ms("ours", "logistic") == 5.0


def test_a_ratio_is_taken_within_a_round(make_results: Make) -> None:
    """A machine that is slow for a round slows both peers."""
    results = make_results({("ours", "logistic"): [700, 70, 350], ("bare_uvicorn", "logistic"): [1000, 100, 500]})

    assert results.ratio("ours", "logistic", "bare_uvicorn") == pytest.approx(0.7)
    assert results.p50_ratio("ours", "logistic", "bare_uvicorn") == pytest.approx(1 / 0.7)


def test_a_figure_that_was_not_measured_is_none(make_results: Make) -> None:
    """Rates, ratios, times and memory."""
    results = make_results({("ours", "logistic"): [1000]})

    assert results.per_second("flask", "logistic") is None
    assert results.ratio("ours", "logistic", "flask") is None
    assert results.first_answer("flask") is None
    assert results.megabytes("flask") is None
    assert results.first_answer("ours") == 0.2
    assert results.megabytes("ours") == 70.0


def test_growth_is_from_the_first_reading_to_the_last(make_results: Make) -> None:
    """Of each peer; one reading is not enough."""
    results = make_results({("ours", "logistic"): [1000], ("bare_uvicorn", "logistic"): [1000]})
    later = structs.replace(results, memory=[Memory("ours", 1_000_000, 71.5), *results.memory])

    assert results.growth("ours") is None
    assert later.growth("ours") == 1.5
    assert later.growth("bare_uvicorn") is None
    assert (later.megabytes("ours"), later.megabytes("ours", 1_000_000)) == (70.0, 71.5)
