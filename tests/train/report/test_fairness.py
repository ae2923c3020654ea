"""Fairness: what is planted is found, what is chance isn't, and nobody is found in a small group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.card import Card, CardField
from train.policy import make_policy
from train.report.evidence import Evidence
from train.report.fairness import FEWEST, Fairness, measure_fairness, proxy_auc

ROWS = 4000


@pytest.fixture(scope="module")
def found(card: Card, evidence: Evidence) -> dict[str, Fairness]:
    """By field."""
    measured = measure_fairness(evidence, card.fields, make_policy(card.policy), seed=0)
    return {field.name: field for field in measured}


def test_a_field_that_drives_an_input_is_given_away_and_chance_is_not(found: dict[str, Fairness]) -> None:
    """Age drives income; sex drives nothing."""
    assert found["age"].proxy_auc > 0.7
    assert pytest.approx(0.5, abs=0.06) == found["sex"].proxy_auc


def test_the_young_are_accepted_less_often_and_flagged(found: dict[str, Fairness]) -> None:
    """Four groups of age; the youngest earn least. Sex changes nothing."""
    age = found["age"].groups

    assert 4 == len(age)
    assert age[0].is_flagged
    assert age[0].ratio.high < 0.8
    assert found["age"].best == age[-1].name
    assert not any(group.is_flagged for group in found["sex"].groups)


def test_small_groups_are_left_out_and_counted(found: dict[str, Fairness], evidence: Evidence) -> None:
    """The rare level of sex has no row of its own."""
    rare = int((evidence.protected["sex"] == 2).sum())

    assert 0 < rare < FEWEST
    assert ["f", "m"] == [group.name for group in found["sex"].groups]
    assert rare == found["sex"].left_out


def judge(values: np.ndarray, probability: np.ndarray, y: np.ndarray, *levels: str) -> Fairness:
    """One protected category on made-up scores."""
    random = np.random.default_rng(0)
    evidence = Evidence(random.normal(size=(len(y), 2)), y, probability, np.arange(10), {"group": values})
    fields = {"group": CardField("Group", "category", levels=levels, use=False)}
    (field,) = measure_fairness(evidence, fields, make_policy(Card.__struct_defaults__[-1]), seed=0)
    return field


def test_rates_are_those_counted_by_hand() -> None:
    """Acceptance, goods refused, defaults accepted of two groups with known answers."""
    y = np.tile([0, 0, 1, 1], 50)
    probability = np.tile([0.1, 0.5, 0.1, 0.5], 50)
    probability[100:] = np.tile([0.1, 0.1, 0.5, 0.5], 25)

    first, second = judge(np.repeat([0.0, 1.0], 100), probability, y, "a", "b").groups

    assert (0.5, 0.5, 0.5) == (first.acceptance.value, first.good_refused.value, first.bad_accepted.value)
    assert (0.5, 0.0, 0.0) == (second.acceptance.value, second.good_refused.value, second.bad_accepted.value)
    assert 1.0 == second.auc.value
    assert pytest.approx(0.6) == first.calibration.value
    assert first.is_misjudged


def test_a_tiny_group_is_not_what_others_are_compared_with() -> None:
    """Sixty of 4,000, all but one accepted, are under 2 %: the reference is the better of the large groups."""
    random = np.random.default_rng(0)
    values = np.repeat([0.0, 1.0, 2.0], [60, 1970, 1970])
    probability = np.where(values == 0, 0.05, np.where(random.random(ROWS) < 0.5, 0.1, 0.4))

    field = judge(values, probability, (random.random(ROWS) < 0.3).astype(np.int64), "tiny", "b", "c")

    assert "tiny" != field.best
    assert field.groups[0].ratio.value > 1


def test_a_copy_of_the_field_among_the_inputs_gives_it_away_entirely() -> None:
    """AUC 1, also with three groups."""
    groups = np.random.default_rng(0).integers(0, 3, 900)

    assert pytest.approx(1.0) == proxy_auc(groups[:, None].astype(float), groups, seed=0)


def test_a_card_without_protected_fields_finds_nothing(card: Card, evidence: Evidence) -> None:
    """Empty, not an error."""
    bare = replace(evidence, protected={})

    assert () == measure_fairness(bare, card.fields, make_policy(card.policy), seed=0)
