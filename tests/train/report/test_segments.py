"""Segments: figures of each group in each population; small groups are put together or left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import Field
from model.inputs import Input
from model.money import Money
from train.card import CardField, CardPolicy
from train.policy import make_policy
from train.report.groups import MIN_GROUP_SIZE
from train.report.out_of_sample import OutOfSample
from train.report.segments import MAX_GROUPS, Segment, measure_segments

POLICY = make_policy(CardPolicy())


def measure(values: np.ndarray, *levels: str, held: np.ndarray | None = None, with_time: bool = False) -> Segment:
    """The segment of a category on calibrated probabilities, half of the rows held out."""
    random = np.random.default_rng(0)
    rows = len(values)
    probability = random.beta(2, 4, rows)
    y = (random.random(rows) < probability).astype(np.int64)
    held = np.arange(rows // 2, rows) if held is None else held
    time = np.arange(rows) if with_time else None
    sample = OutOfSample(np.ones((rows, 1)), y, probability, held, {}, {"field": values}, None, time)
    (segment,) = measure_segments(sample, {"field": CardField("Field", "category", levels=levels)}, POLICY)
    return segment


def test_a_random_holdout_is_one_population() -> None:
    """All applications are measured together; every group has its figures."""
    segment = measure(np.tile([0.0, 1.0], 400), "a", "b")

    assert segment.populations == ("All applications",)
    assert [(group.name, [one.count for one in group.figures if one]) for group in segment.groups] == [
        ("a", [400]),
        ("b", [400]),
    ]
    assert (segment.n_other, segment.n_excluded) == (0, 0)


def test_new_applications_are_one_population() -> None:
    """All rows are held out, as in `python -m train evaluate`."""
    assert measure(np.zeros(200), "a", held=np.arange(200)).populations == ("New applications",)


def test_a_group_without_known_exposure_has_no_cost() -> None:
    """It has its other figures."""
    random = np.random.default_rng(0)
    probability, group = random.beta(2, 4, 800), np.tile([0.0, 1.0], 400)
    y = (random.random(800) < probability).astype(np.int64)
    applicants = np.where(group == 1, np.nan, 100.0)[:, None]
    policy = structs.replace(POLICY, stated="money", money=Money(Input("amount", 0), 0.5, 0.1))
    sample = OutOfSample(applicants, y, probability, np.arange(10), {}, {"g": group})

    (segment,) = measure_segments(sample, {"g": CardField("G", "category", levels=("a", "b"))}, policy)

    known, unknown = (group.figures[0] for group in segment.groups)
    assert known is not None
    assert unknown is not None
    assert 0 < known.cost.value < 50
    assert np.isnan(unknown.cost.value)
    assert (unknown.count, unknown.acceptance.value) == (400, 0.0)


def test_with_times_each_group_is_measured_in_time_and_out_of_time() -> None:
    """A group without enough applicants in one of them has no figures there."""
    segment = measure(np.repeat([0.0, 1.0, 0.0], [300, 300, 200]), "a", "b", with_time=True)

    assert segment.populations == ("In time", "Out of time")
    assert [[one and one.count for one in group.figures] for group in segment.groups] == [[300, 200], [100, 200]]


def test_a_miscalibrated_group_is_found() -> None:
    """Probabilities are twice the default rate in one group, and right in the other."""
    random = np.random.default_rng(1)
    probability, group = random.beta(2, 6, 8000), np.tile([0.0, 1.0], 4000)
    y = (random.random(8000) < np.where(group == 1, probability / 2, probability)).astype(np.int64)
    sample = OutOfSample(np.ones((8000, 1)), y, probability, np.arange(10), {}, {"g": group})

    (segment,) = measure_segments(sample, {"g": CardField("G", "category", levels=("a", "b"))}, POLICY)

    (right,), (wrong,) = (group.figures for group in segment.groups)
    assert right is not None
    assert wrong is not None
    assert not right.ratio.excludes(1.0)
    assert wrong.ratio.low > 1.5
    assert wrong.default_rate.value == pytest.approx(0.125, abs=0.02)


def test_small_groups_are_measured_together() -> None:
    """Three groups of 40 are 120 applicants."""
    segment = measure(np.repeat([0.0, 1.0, 2.0, 3.0], [300, 40, 40, 40]), "a", "b", "c", "d")

    assert [group.name for group in segment.groups] == ["a", "other"]
    assert (segment.n_other, segment.n_excluded) == (3, 0)


def test_too_few_of_small_groups_are_left_out_and_counted() -> None:
    """40 applicants of one group."""
    segment = measure(np.repeat([0.0, 1.0], [300, 40]), "a", "b")

    assert [group.name for group in segment.groups] == ["a"]
    assert (segment.n_other, segment.n_excluded) == (0, 40)


def test_the_largest_of_many_groups_are_measured_one_by_one() -> None:
    """Of 30 groups of growing size, the 19 largest; the other 11 together."""
    segment = measure(np.repeat(np.arange(30.0), np.arange(30) + 100), *[f"level {n}" for n in range(30)])

    assert [group.name for group in segment.groups] == [*(f"level {n}" for n in range(11, 30)), "other"]
    assert (len(segment.groups), segment.n_other) == (MAX_GROUPS, 11)


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=400))
def test_every_applicant_is_in_one_group_or_excluded(levels: list[int]) -> None:
    """Counts add up to the rows, unknown levels (−1) included; no group is smaller than the limit."""
    segment = measure(np.array(levels, dtype=float), *"abcdef")

    counts = [one.count for group in segment.groups for one in group.figures if one]
    assert sum(counts) + segment.n_excluded == len(levels)
    assert [count for count in counts if count < MIN_GROUP_SIZE] == []


def test_a_number_without_any_value_is_one_group() -> None:
    """All are missing."""
    field = Field("x", "X", "", "number", (), None, None, nullable=True, reason="")
    y = np.tile([0, 1], 100)
    sample = OutOfSample(np.ones((200, 1)), y, np.full(200, 0.5), np.arange(9), {}, {"x": np.full(200, np.nan)})

    (segment,) = measure_segments(sample, {"x": field}, POLICY)

    assert [group.name for group in segment.groups] == ["missing"]
