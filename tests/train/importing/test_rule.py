"""The rule of the model's owner."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV

from train.card import CardPolicy
from train.errors import TrainingError
from train.importing.bundle import Bundle
from train.importing.options import read_costs, read_prior, read_share
from train.importing.rule import find_rule, read_threshold

X = np.random.default_rng(0).normal(size=(300, 2))
Y = (X[:, 0] > 0.5).astype(int)
MODEL = LogisticRegression().fit(X, Y)


def choose(given: CardPolicy, bundle: Bundle, default: int = 1, **options: Any) -> Any:
    """The rule's policy, None if there is none."""
    stated = argparse.Namespace(**{"threshold": None, "costs": None, **options})
    rule = find_rule(stated, given, bundle, default, [0, 1])
    return rule and rule.policy


def test_an_option_comes_before_the_card_and_the_card_before_the_file() -> None:
    """And without any there is no rule, not even one of equal costs."""
    bundle, card = Bundle(MODEL, threshold=0.3), CardPolicy(threshold=0.4)

    assert choose(card, bundle, threshold=0.5) == CardPolicy(threshold=0.5)
    assert choose(card, bundle, costs=(4.0, 1.0)) == CardPolicy(4.0, 1.0)
    assert choose(card, bundle) == CardPolicy(threshold=0.4)
    assert choose(CardPolicy(), bundle) == CardPolicy(threshold=0.3)
    assert choose(CardPolicy(), Bundle(MODEL)) is None


def test_a_threshold_of_a_model_whose_one_means_good_is_asked() -> None:
    """It may be of either class."""
    with pytest.raises(TrainingError, match=r"of 0.7 on, --threshold 0.7, or of 0.3 on, --threshold 0.3"):
        choose(CardPolicy(), Bundle(MODEL, threshold=0.3), 0)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.52])
@pytest.mark.parametrize("default", [0, 1])
def test_the_threshold_of_a_wrapper_refuses_whom_it_predicts_as_default(threshold: float, default: int) -> None:
    """Its positive class is the second; the first is predicted below the threshold."""
    fitted = FixedThresholdClassifier(MODEL, threshold=threshold, response_method="predict_proba").fit(X, Y)

    refuse_from = read_threshold(fitted, default)

    assert refuse_from is not None
    refused = fitted.predict_proba(X)[:, default] >= refuse_from
    np.testing.assert_array_equal(refused, fitted.predict(X) == default)


def test_a_tuned_threshold_is_read_inside_a_search() -> None:
    """The best estimator's."""
    tuned = TunedThresholdClassifierCV(LogisticRegression(), cv=2)
    search = GridSearchCV(tuned, {}, cv=2).fit(X, Y)

    assert read_threshold(search, 1) == search.best_estimator_.best_threshold_


def test_a_threshold_on_the_decision_function_is_not_taken() -> None:
    """It is no probability."""
    fitted = FixedThresholdClassifier(MODEL, threshold=0.5, response_method="decision_function").fit(X, Y)

    assert read_threshold(fitted, 1) is None


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_share, "0"),
        (read_share, "1"),
        (read_share, "nan"),
        (read_share, "35%"),
        (read_costs, "5"),
        (read_costs, "5:0"),
        (read_costs, "5:1:1"),
        (read_costs, "inf:1"),
        (read_costs, "a:b"),
        (read_prior, "0.1:0.2:0.3"),
        (read_prior, "0.1:"),
    ],
)
def test_an_option_that_is_no_share_or_cost_is_refused(read: Any, text: str) -> None:
    """With an example of what is expected."""
    with pytest.raises(argparse.ArgumentTypeError, match=r"such as (0\.|5:1)"):
        read(text)
