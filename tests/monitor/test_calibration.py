from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import chi2, kstest
from sklearn.linear_model import LogisticRegression

from monitor.calibration import Calibration, calibrate, make_bins, observed_by_predicted
from monitor.history import Floats, Integers
from tests.monitor.histories import draw_outcomes, draw_probabilities

cases = st.lists(
    st.tuples(st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1)), st.integers(0, 1)), min_size=1, max_size=40
)


def measure(p: Floats, y: Integers) -> Calibration:
    return calibrate("all", np.arange(len(p)), p, y)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.6, 0.3), (1.4, -0.5)])
def test_slope_is_that_of_a_logistic_regression(slope: float, intercept: float) -> None:
    """Slope, its interval and its test agree with scikit-learn and the χ² distribution."""
    random = np.random.default_rng(1)
    p = draw_probabilities(random, 3_000, 0.2)
    y = draw_outcomes(random, 1 / (1 + np.exp(-(intercept + slope * logit(p)))))
    found = measure(p, y)

    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(p)[:, None], y)
    assert found.slope is not None
    assert found.slope_chance is not None
    assert found.slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert not found.slope.excludes(slope)
    free = _likelihood(fitted.coef_[0, 0] * logit(p) + fitted.intercept_[0], y)
    assert found.intercept is not None
    fixed = _likelihood(logit(p) + found.intercept.value, y)
    assert found.slope_chance == pytest.approx(chi2.sf(2 * (free - fixed), 1), rel=1e-3)
    assert found.chance == pytest.approx(chi2.sf(2 * (fixed - _likelihood(logit(p), y)), 1), rel=1e-6)


def _likelihood(x: Floats, y: Integers) -> float:
    return float((y * x - np.logaddexp(0, x)).sum())


def test_intercept_makes_predicted_equal_to_observed() -> None:
    """Added to the log-odds it gives as many defaults as there were."""
    random = np.random.default_rng(2)
    p = draw_probabilities(random, 2_000, 0.1)
    y = draw_outcomes(random, np.minimum(1.5 * p, 1))
    found = measure(p, y)
    assert found.intercept is not None
    corrected = 1 / (1 + np.exp(-(logit(p) + found.intercept.value)))
    assert corrected.sum() == pytest.approx(y.sum())
    assert found.ratio.value == pytest.approx(y.mean() / p.mean())


def test_chances_are_uniform_for_probabilities_that_are_right() -> None:
    """So that a level is the rate of false alarms; with few defaults too."""
    random = np.random.default_rng(3)
    found = []
    for _ in range(300):
        p = draw_probabilities(random, 400, 0.1)
        found.append(measure(p, draw_outcomes(random, p)))
    for chances in ([one.chance for one in found], [one.slope_chance or 0.0 for one in found]):
        assert kstest(chances, "uniform").pvalue > 0.001
    assert np.mean([one.ratio.excludes(1.0) for one in found]) < 0.1


@given(cases)
def test_nothing_is_too_little_to_be_measured(rows: list[tuple[float, int]]) -> None:
    """One outcome, one class, equal probabilities, 0 and 1 give figures or None, and chances between 0 and 1."""
    p, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = measure(p, y)
    assert found.count == len(rows)
    assert 0 <= found.chance <= 1
    assert found.slope_chance is None or 0 <= found.slope_chance <= 1
    assert found.auc_chance is None or 0 <= found.auc_chance <= 1
    assert sum(one.count for one in make_bins(p, y)) == len(rows)


@given(cases)
def test_order_of_the_outcomes_does_not_matter(rows: list[tuple[float, int]]) -> None:
    """Only the days at the ends depend on time."""
    p, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    order = np.argsort(p + y, kind="stable")
    one, other = measure(p, y), measure(p[order], y[order])
    assert one.observed == other.observed
    assert one.chance == pytest.approx(other.chance, abs=1e-6)
    assert one.ratio.value == pytest.approx(other.ratio.value)


def test_ratio_without_a_predicted_default() -> None:
    """Probabilities of 0 don't divide by zero."""
    ratio = observed_by_predicted(np.zeros(5), np.array([0, 0, 0, 0, 1]))
    assert ratio.value == pytest.approx(0.2 / 1e-9)


def test_bins_have_the_rates_of_their_members() -> None:
    """Ten bins of equal count in the order of the probabilities."""
    random = np.random.default_rng(4)
    p = random.random(1_000)
    y = draw_outcomes(random, p)
    bins = make_bins(p, y)
    parts = np.array_split(np.argsort(p), 10)
    assert [one.count for one in bins] == [100] * 10
    assert [one.predicted for one in bins] == pytest.approx([p[part].mean() for part in parts])
    assert [one.observed.value for one in bins] == pytest.approx([y[part].mean() for part in parts])
    assert make_bins(p[:0], y[:0]) == []
