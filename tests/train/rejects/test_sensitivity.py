"""Where the truth is known: what augmentation, parcelling and the bounds say of the rejected."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks import rejects as portfolios
from benchmarks.rejects import POLICY, Reason, build, draw
from train.judged import judge
from train.rejects.bounds import measure_bounds
from train.rejects.sensitivity import Known, Variant, measure_sensitivity, parcel


@cache
def know(reason: Reason) -> Known:
    """A model of the accepted applicants of a portfolio."""
    return portfolios.know(draw(reason))


@cache
def measure(reason: Reason) -> tuple[Variant, ...]:
    """The model and those beside it."""
    return measure_sensitivity(know(reason), build, POLICY, 0)


def test_augmentation_is_nearer_the_truth_where_the_fields_explain_the_rejections() -> None:
    """The straight line of the accepted is wrong beyond them; weighted by 1 / chance of acceptance it bends to them."""
    truth = draw("fields").true_rate

    model, augmented, *_ = measure("fields")

    assert abs(augmented.rejected - truth) < abs(model.rejected - truth) / 2
    assert augmented.rows < model.rows


def test_no_estimate_but_only_the_bounds_hold_where_something_unseen_explains_them() -> None:
    """The true rate is above what the model and augmentation say, and within the bounds."""
    known, truth = know("unseen"), draw("unseen").true_rate
    theirs = judge(POLICY, known.rejected_probability, known.rejected.X)
    ours = judge(POLICY, known.probability, known.accepted.X)
    bounds = measure_bounds(known.accepted, known.rejected, known.y, known.rejected_probability, ours, theirs)

    model, augmented, *_ = measure("unseen")

    assert max(model.rejected, augmented.rejected) < truth - 0.1
    assert bounds.best.of_rejected <= truth <= bounds.worst.of_rejected


def test_the_model_is_itself_and_parcelling_returns_what_it_assumes() -> None:
    """Higher odds of the rejected give higher probabilities, and fewer acceptances.

    Less high than was drawn: a model that isn't told who was rejected spreads them over accepted applicants alike.
    """
    model, augmented, *parcelled = measure("fields")

    assert (model.drawn, augmented.drawn) == (None, None)
    for one in parcelled:
        assert one.drawn is not None
        assert model.rejected < one.rejected < one.drawn
        assert one.accepted > model.accepted
    assert model.difference is None
    assert model.order == pytest.approx(1)
    assert model.changed == 0
    assert model.rejected < parcelled[0].rejected < parcelled[1].rejected
    assert model.rejected_acceptance > parcelled[0].rejected_acceptance > parcelled[1].rejected_acceptance


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_parcelled_outcomes_have_the_assumed_share_of_a_band(factor: float) -> None:
    """The odds of the accepted times the factor, up to one row; the same seed draws the same rows."""
    known = know("fields")
    known = replace(
        known, probability=np.full(known.accepted.count, 0.2), rejected_probability=np.full(known.rejected.count, 0.2)
    )

    outcomes = parcel(known, factor, 0)

    rate = float(known.y[~known.is_held].mean())
    expected = factor * rate / (1 - rate + factor * rate)
    assert outcomes.mean() == pytest.approx(expected, abs=1 / known.rejected.count)
    np.testing.assert_array_equal(outcomes, parcel(known, factor, 0))
