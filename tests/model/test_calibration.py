"""The line through log-odds: recovered from outcomes, with weights as with repeated outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.calibration import expit, fit_line, log_odds, measure_likelihood


def test_a_line_is_recovered_within_its_errors() -> None:
    """Outcomes are drawn with log-odds 0.5 + 0.7 · x."""
    random = np.random.default_rng(0)
    x = random.normal(-1, 1.5, 50_000)
    y = (random.random(len(x)) < expit(0.5 + 0.7 * x)).astype(np.int64)

    line = fit_line(x, y)

    errors = np.sqrt(np.diag(line.covariance))
    assert abs(line.intercept - 0.5) < 3 * errors[0]
    assert abs(line.slope - 0.7) < 3 * errors[1]


@given(st.lists(st.tuples(st.floats(-4, 4), st.booleans(), st.integers(1, 5)), min_size=12, max_size=60), st.booleans())
def test_integer_weights_are_repeated_outcomes(rows: list[tuple[float, bool, int]], is_slope_fixed: bool) -> None:
    """Line, likelihood and covariance."""
    x = np.array([row[0] for row in rows])
    y = np.array([row[1] for row in rows]).astype(np.int64)
    counts = np.array([row[2] for row in rows])
    assume(0 < y.sum() < len(y))

    weighted = fit_line(x, y, is_slope_fixed=is_slope_fixed, weight=counts.astype(np.float64))
    repeated = fit_line(np.repeat(x, counts), np.repeat(y, counts), is_slope_fixed=is_slope_fixed)

    assert weighted.likelihood == pytest.approx(repeated.likelihood, rel=1e-6, abs=1e-6)
    if abs(repeated.slope) < 20:
        assert (weighted.intercept, weighted.slope) == pytest.approx((repeated.intercept, repeated.slope), abs=1e-3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_weights_of_one_change_nothing(rows: list[tuple[float, bool]]) -> None:
    """The likelihood, up to rounding, and the fitted line."""
    x = log_odds(np.array([row[0] for row in rows]))
    y = np.array([row[1] for row in rows]).astype(np.int64)

    one = measure_likelihood(x, y, np.ones(len(x)))

    assert one == pytest.approx(measure_likelihood(x, y), rel=1e-12, abs=1e-12)
