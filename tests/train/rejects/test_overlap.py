"""Extrapolation is found where it is, and not where applicants were rejected by chance."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rejects import FIELDS as CARD_FIELDS
from benchmarks.rejects import LIMIT, Portfolio, draw
from model.contract import Field
from train.rejects.overlap import Overlap, measure_chances, measure_overlap

FIELDS = [Field(name, name, "", "number", (), None, None, True, "High") for name in ("income", "debt")]


def measure(portfolio: Portfolio) -> Overlap:
    """The overlap, of a model that says 0.2 of everybody."""
    ours, theirs = portfolio.groups
    chances = measure_chances(ours, theirs, CARD_FIELDS, 0)
    y = portfolio.y[portfolio.is_accepted]
    return measure_overlap(ours, theirs, chances, FIELDS, y, np.full(theirs.count, 0.2))


def test_a_knock_out_is_extrapolation() -> None:
    """All of the rejected beyond it are, and the field's values say where."""
    portfolio = draw("knock-out")
    beyond = float((portfolio.X[~portfolio.is_accepted, 0] < LIMIT).mean())

    overlap = measure(portfolio)

    assert overlap.few == pytest.approx(beyond, abs=0.03)
    assert overlap.few_of_all == pytest.approx(overlap.few * (1 - portfolio.is_accepted.mean()))
    assert [one.label for one in overlap.fields] == ["income"]
    assert overlap.fields[0].share == pytest.approx(beyond, abs=0.1)
    assert overlap.parts[0].default_rate is None


def test_rejections_by_chance_are_no_extrapolation_however_many_they_are() -> None:
    """Of a lender who accepts 5% at random, accepted applicants are wherever the rejected are."""
    overlap = measure(draw("chance"))

    assert overlap.few < 0.1
    assert overlap.fields == ()
    assert not overlap.auc.excludes(0.5)
