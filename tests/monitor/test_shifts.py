"""Shifts of many tallies at once."""

from __future__ import annotations

import numpy as np
import pytest

from model.session import Model
from monitor.shifts import Reference
from monitor.tally import Layout, Tally, sum_counts
from train.export.golden import draw_applicants


def make_tally(model: Model, count: int, seed: int) -> Tally:
    """The tally of synthetic applicants."""
    applicants = draw_applicants(list(model.contract.fields), count, seed)
    scores = model.score(applicants)
    layout = Layout(model.contract)
    return layout.read(layout.count(applicants, scores.probability, scores.decision))


@pytest.mark.parametrize("count", [1, 30, 1_000])
def test_the_verdicts_of_many_tallies_are_those_of_each(binned: Model, count: int) -> None:
    """By one rule: what chance alone may give is no shift."""
    reference = Reference(binned.contract)
    tallies = [*(make_tally(binned, count, seed) for seed in range(3)), Layout(binned.contract).read(sum_counts([]))]

    found = reference.find_shifts(tallies)

    each = [reference.measure(tally) for tally in tallies]
    shifts = [[shift for shift in (one.probability, *one.fields) if shift is not None] for one in each]
    assert found == [{one.field: one.verdict for one in some if one.verdict != "stable"} for some in shifts]


def test_an_index_that_chance_alone_may_give_is_no_shift(binned: Model) -> None:
    """However far above the limits it is: ten applicants can't tell."""
    reference, few, many = Reference(binned.contract), make_tally(binned, 10, 1), make_tally(binned, 5_000, 1)
    moved = np.roll(many.probability, 3)
    shifted = Tally(many.decisions, many.by_decision, 0.0, many.complete, moved, many.fields, many.rules)

    assert reference.find_shifts([few])[0] == {}
    assert np.nanmax(reference.measure_psi([few])) > 0.1
    assert reference.find_shifts([shifted])[0][""] == "significant shift"
