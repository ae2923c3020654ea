"""The cost model is the line through the measured CPU times."""

from __future__ import annotations

import pytest

from benchmarks.serve.cost_model import fit_cost_model, fit_line, write_cost_model


def test_a_line_is_fitted() -> None:
    """Intercept and slope, here of points on a line."""
    intercept, slope = fit_line([(8, 50 + 8 * 0.25), (23, 50 + 23 * 0.25), (768, 50 + 768 * 0.25)])

    assert (intercept, slope) == pytest.approx((50, 0.25))


def test_relative_errors_count() -> None:
    """A large value that is 10 % off has no more weight than a small one."""
    intercept, _ = fit_line([(1, 100), (10, 109), (100, 199), (10_000, 11_000)])

    assert intercept == pytest.approx(100, rel=0.1)


def test_the_cost_model_is_written_with_units() -> None:
    """With the predicted throughput of larger deployments."""
    cost = {
        "workers": [(1, 60.0), (2, 66.0)],
        "fields": [(8, 58.0), (23, 73.0), (768, 818.0)],
        "trees": [(100, 75.0), (1600, 105.0)],
        "rows, JSON": [(1, 60.0), (1000, 2058.0)],
        "rows, V2 binary": [(1, 60.0), (1000, 309.75)],
    }

    text = write_cost_model(fit_cost_model(cost))

    assert "50 µs + 1.00 µs a field + 0.020 µs a tree" in text
    assert "2.00 µs as JSON, 0.25 µs as V2 binary" in text
    assert "1.10 times the CPU time" in text
    assert "at 50 fields, or at 3,650 trees" in text
    assert "| one Basic dyno | 1 | 9,589 | 350,000 | 2,800,000 |" in text
    assert "| ten dynos of its size | 10 | 95,890 | 3,500,000 | 28,000,000 |" in text
