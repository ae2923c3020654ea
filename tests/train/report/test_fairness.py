"""Fairness: known differences are found, random ones are not, and small groups are excluded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from train.card import Card, CardField, CardPolicy
from train.policy import make_policy
from train.report.fairness import Fairness, measure_fairness, proxy_auc
from train.report.groups import MIN_GROUP_SIZE
from train.report.out_of_sample import OutOfSample

ROWS = 4000


@pytest.fixture(scope="module")
def found(card: Card, out_of_sample: OutOfSample) -> dict[str, Fairness]:
    """Name of the field → its measurements."""
    measured = measure_fairness(out_of_sample, card.fields, make_policy(card.policy), seed=0)
    return {field.name: field for field in measured}


def test_a_field_that_determines_an_input_has_a_proxy(found: dict[str, Fairness]) -> None:
    """Age determines income; sex is random."""
    assert found["age"].proxy_auc is not None
    assert found["age"].proxy_auc > 0.7
    assert found["sex"].proxy_auc == pytest.approx(0.5, abs=0.06)


def test_adverse_impact_on_the_young_is_found(found: dict[str, Fairness]) -> None:
    """Four groups of age, of which the youngest earn least; sex has no effect."""
    age = found["age"].groups

    assert len(age) == 4
    assert age[0].has_adverse_impact
    assert age[0].impact_ratio.high < 0.8
    assert found["age"].reference == age[-1].name
    assert not any(group.has_adverse_impact for group in found["sex"].groups)


def test_small_groups_are_excluded_and_counted(found: dict[str, Fairness], out_of_sample: OutOfSample) -> None:
    """The rare level of sex is not in the result."""
    rare = int((out_of_sample.protected["sex"] == 2).sum())

    assert 0 < rare < MIN_GROUP_SIZE
    assert [group.name for group in found["sex"].groups] == ["f", "m"]
    assert found["sex"].n_excluded == rare


def measure_one(values: np.ndarray, probability: np.ndarray, y: np.ndarray, *levels: str) -> Fairness:
    """Fairness of one protected category on given scores."""
    random = np.random.default_rng(0)
    out_of_sample = OutOfSample(random.normal(size=(len(y), 2)), y, probability, np.arange(10), {"group": values})
    fields = {"group": CardField("Group", "category", levels=levels, use=False)}
    (field,) = measure_fairness(out_of_sample, fields, make_policy(CardPolicy()), seed=0)
    return field


def test_rates_of_two_groups_with_known_decisions() -> None:
    """Acceptance, good applicants refused, defaults accepted, AUC and calibration."""
    y = np.tile([0, 0, 1, 1], 50)
    probability = np.tile([0.1, 0.5, 0.1, 0.5], 50)
    probability[100:] = np.tile([0.1, 0.1, 0.5, 0.5], 25)

    first, second = measure_one(np.repeat([0.0, 1.0], 100), probability, y, "a", "b").groups

    assert (first.acceptance.value, first.good_refusal_rate.value, first.default_acceptance_rate.value) == (
        0.5,
        0.5,
        0.5,
    )
    assert (second.acceptance.value, second.good_refusal_rate.value, second.default_acceptance_rate.value) == (
        0.5,
        0.0,
        0.0,
    )
    assert second.auc.value == 1.0
    assert first.calibration.value == pytest.approx(0.6)
    assert first.agreement.is_rejected(0.99)


def test_a_tiny_group_is_not_the_reference() -> None:
    """60 of 4,000 applicants, all accepted, are less than 2%: the reference is one of the large groups."""
    random = np.random.default_rng(0)
    values = np.repeat([0.0, 1.0, 2.0], [60, 1970, 1970])
    probability = np.where(values == 0, 0.05, np.where(random.random(ROWS) < 0.5, 0.1, 0.4))

    field = measure_one(values, probability, (random.random(ROWS) < 0.3).astype(np.int64), "tiny", "b", "c")

    assert field.reference != "tiny"
    assert field.groups[0].impact_ratio.value > 1


def test_a_copy_of_the_field_among_the_inputs_is_a_perfect_proxy() -> None:
    """AUC 1 with three groups."""
    groups = np.random.default_rng(0).integers(0, 3, 900)

    assert proxy_auc(groups[:, None].astype(float), groups, seed=0) == pytest.approx(1.0)


def test_a_protected_field_that_is_an_input_is_compared_without_a_proxy(
    card: Card, out_of_sample: OutOfSample, found: dict[str, Fairness]
) -> None:
    """Its groups are measured as before."""
    fields = card.fields | {"age": structs.replace(card.fields["age"], use=True)}

    measured = {one.name: one for one in measure_fairness(out_of_sample, fields, make_policy(card.policy), seed=0)}

    assert measured["age"] == replace(found["age"], proxy_auc=None)
    assert measured["sex"] == found["sex"]


def test_a_card_without_protected_fields_has_no_measurements(card: Card, out_of_sample: OutOfSample) -> None:
    """The result is empty, not an error."""
    bare = replace(out_of_sample, protected={})

    assert measure_fairness(bare, card.fields, make_policy(card.policy), seed=0) == ()
