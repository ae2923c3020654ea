"""Class weights and resampling: found, and corrected exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from train.errors import TrainingError
from train.importing.weights import Prior, Reweighting, correct, correction_factor, find_reweighting, shift
from train.readers.describe import describe

X = np.random.default_rng(0).normal(size=(200, 2))
Y = (X[:, 0] > 0.8).astype(int)
BALANCED = LogisticRegression(class_weight="balanced")


def fit(classifier: Any) -> Any:
    """The classifier after a scaler, fitted."""
    return make_pipeline(StandardScaler(), classifier).fit(X, Y)


@pytest.mark.parametrize(
    ("fitted", "expected"),
    [
        (fit(LogisticRegression()), ()),
        (fit(BALANCED), (Reweighting("class_weight='balanced' of its LogisticRegression", odds=1.0),)),
        (
            fit(LogisticRegression(class_weight={0: 2.0, 1: 5.0})),
            (Reweighting("class_weight={0: 2.0, 1: 5.0} of its LogisticRegression", factor=2.5),),
        ),
        (
            fit(RandomForestClassifier(5, class_weight="balanced_subsample")),
            (Reweighting("class_weight='balanced_subsample' of its RandomForestClassifier", odds=1.0),),
        ),
        (
            GridSearchCV(make_pipeline(StandardScaler(), BALANCED), {}, cv=2).fit(X, Y),
            (Reweighting("class_weight='balanced' of its LogisticRegression", odds=1.0),),
        ),
        # Calibration sees the rows as they are.
        (CalibratedClassifierCV(BALANCED, cv=2).fit(X, Y), ()),
    ],
)
def test_class_weights_are_found(fitted: Any, expected: tuple[Reweighting, ...]) -> None:
    """In a pipeline, a forest and a search, but not below a calibration."""
    assert find_reweighting(fitted) == expected


@pytest.mark.parametrize(
    ("found", "prior", "default", "expected"),
    [
        ((Reweighting("", odds=1.0),), Prior(0.2), 1, 0.25),
        ((Reweighting("", odds=1.0),), Prior(0.2), 0, 0.25),
        ((Reweighting("", factor=4.0),), Prior(0.2), 1, 0.25),
        ((Reweighting("", factor=4.0),), Prior(0.2), 0, 4.0),
        ((Reweighting("", odds=1.0), Reweighting("", factor=2.0)), Prior(0.2), 1, 0.125),
        ((), Prior(0.2, 0.5), 1, 0.25),
        ((Reweighting("", factor=4.0),), Prior(0.2, 0.8), 1, 0.0625),
    ],
)
def test_the_factor_undoes_the_weights(
    found: tuple[Reweighting, ...], prior: Prior, default: int, expected: float
) -> None:
    """Balanced rows have odds of 1; a weight of 4 multiplied them by 4; a stated share counts first."""
    assert correction_factor(found, prior, default) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ((), "the model doesn't tell its share of defaults.*add it: --prior 0.2:SHARE"),
        ((Reweighting("resampling with SMOTETomek"),), "resampling with SMOTETomek doesn't tell the share of defaults"),
    ],
)
def test_an_unknown_share_is_asked(found: tuple[Reweighting, ...], message: str) -> None:
    """A rate alone doesn't tell the factor."""
    with pytest.raises(TrainingError, match=message):
        correction_factor(found, Prior(0.2), 1)


@pytest.mark.parametrize("classifier", [BALANCED, RandomForestClassifier(5, class_weight="balanced")])
def test_corrected_odds_are_multiplied(classifier: Any) -> None:
    """In the description and in what the library is asked; a model in log-odds keeps its unit."""
    fitted = fit(classifier)
    described = describe(fitted)

    corrected = correct(described, 0.25)

    p = fitted.predict_proba(X)[:, 1]
    expected = 0.25 * p / (1 - p + 0.25 * p)
    np.testing.assert_allclose(corrected.probability(X), expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(corrected.ask(X), expected, rtol=0, atol=1e-15)
    if described.unit == "log-odds":
        assert corrected.unit == "log-odds"


@given(probability=st.floats(1e-6, 1 - 1e-6), threshold=st.floats(1e-6, 1 - 1e-6), factor=st.floats(1e-3, 1e3))
def test_a_shifted_threshold_decides_as_before(probability: float, threshold: float, factor: float) -> None:
    """Wherever the two are further apart than rounding."""
    if abs(probability - threshold) < 1e-9:
        return

    assert (shift(probability, factor) >= shift(threshold, factor)) == (probability >= threshold)
