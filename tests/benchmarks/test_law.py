"""The law is the line through what was measured."""

from __future__ import annotations

import pytest

from benchmarks.serve.law import find_law, fit_line, write_law


def test_a_line_is_found_again() -> None:
    """Start and slope of points that lie on one."""
    start, slope = fit_line([(8, 50 + 8 * 0.25), (23, 50 + 23 * 0.25), (768, 50 + 768 * 0.25)])

    assert pytest.approx((50, 0.25)) == (start, slope)


def test_large_values_do_not_drown_the_small_ones() -> None:
    """A point that is 10 % off counts alike wherever it lies."""
    start, _ = fit_line([(1, 100), (10, 109), (100, 199), (10_000, 11_000)])

    assert pytest.approx(100, rel=0.1) == start


def test_the_law_is_written_in_words() -> None:
    """Each figure with its unit, and what follows for more cores."""
    cost = {
        "workers": [(1, 60.0), (2, 66.0)],
        "fields": [(8, 58.0), (23, 73.0), (768, 818.0)],
        "trees": [(100, 75.0), (1600, 105.0)],
        "rows, JSON": [(1, 60.0), (1000, 2058.0)],
        "rows, V2 binary": [(1, 60.0), (1000, 309.75)],
    }

    law = write_law(find_law(cost))

    assert "50 µs + 1.00 µs a field + 0.020 µs a tree" in law
    assert "2.00 µs as JSON, 0.25 µs as V2 binary" in law
    assert "1.10 times the processor time" in law
    assert "at 50 fields, or at 3,650 trees" in law
    assert "| one Basic dyno | 1 | 9,589 | 350,000 | 2,800,000 |" in law
    assert "| ten dynos of its size | 10 | 95,890 | 3,500,000 | 28,000,000 |" in law
