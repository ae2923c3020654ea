"""Medians and ratios: what one busy second of the machine must not decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from benchmarks.serve.results import Memory, Results
from tests.benchmarks.conftest import Rates

Make = Callable[[Rates], Results]


def test_a_figure_is_the_median_of_the_rounds(make_results: Make) -> None:
    """One slow round changes nothing."""
    results = make_results({("ours", "logistic"): [1000, 10, 1100]})

    assert results.per_second("ours", "logistic") == 1000
    assert results.p50_ms("ours", "logistic") == 1.0
    assert results.p99_ms("ours", "logistic") == 5.0
    assert results.cpu_us("ours", "logistic") == 1000


def test_a_ratio_is_taken_within_a_round(make_results: Make) -> None:
    """A machine that is half as fast for a while slows both down: the ratio stays."""
    results = make_results({("ours", "logistic"): [700, 70, 350], ("limit", "logistic"): [1000, 100, 500]})

    assert pytest.approx(0.7) == results.ratio("ours", "logistic", "limit")
    assert pytest.approx(1 / 0.7) == results.p50_ratio("ours", "logistic", "limit")


def test_a_ratio_between_two_workloads(make_results: Make) -> None:
    """Binary bodies over JSON bodies, of one peer."""
    results = make_results({("ours", "binary"): [800, 900], ("ours", "json"): [100, 100]})

    assert results.ratio("ours", "binary", "ours", "json") == 8.5


def test_what_was_not_measured_has_no_figure(make_results: Make) -> None:
    """No zero, no error."""
    results = make_results({("ours", "logistic"): [1000]})

    assert results.per_second("flask", "logistic") is None
    assert results.ratio("ours", "logistic", "flask") is None
    assert results.first_answer("flask") is None
    assert results.megabytes("flask") is None
    assert results.first_answer("ours") == 0.2
    assert results.megabytes("ours") == 70.0


def test_growth_is_from_the_first_reading_to_the_last(make_results: Make) -> None:
    """Of one peer; a single reading tells nothing of growth."""
    results = make_results({("ours", "logistic"): [1000], ("limit", "logistic"): [1000]})
    later = structs.replace(results, memory=[Memory("ours", 1_000_000, 71.5), *results.memory])

    assert results.growth("ours") is None
    assert later.growth("ours") == 1.5
    assert later.growth("limit") is None
    assert (later.megabytes("ours"), later.megabytes("ours", 1_000_000)) == (70.0, 71.5)
