"""The split into fit and hold-out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import HOLDOUT_SHARE
from train.errors import TrainingError
from train.groups import deal_groups, draw_groups
from train.holdout import split_rows
from train.target import Labels
from train.time_formats import format_day, parse_since

ROWS = 1_000


def outcomes(rows: int = ROWS) -> Labels:
    """Every fifth a default."""
    return np.where(np.arange(rows) % 5 == 0, 1, 0)


@given(rows=st.integers(50, 2000), rate=st.floats(0.1, 0.9), seed=st.integers(0, 1000))
def test_the_split_is_a_stratified_and_seeded_partition(rows: int, rate: float, seed: int) -> None:
    """Each row is in one part, default rates differ by less than one row, the same seed gives the same partition."""
    y = (np.arange(rows) < round(rows * rate)).astype(np.int64)

    partition = split_rows(y, seed)

    assert sorted([*partition.training_rows, *partition.holdout_rows]) == list(range(rows))
    assert len(partition.holdout_rows) == pytest.approx(rows * HOLDOUT_SHARE, abs=1)
    assert abs(y[partition.training_rows].mean() - y[partition.holdout_rows].mean()) <= 1 / len(partition.holdout_rows)
    np.testing.assert_array_equal(split_rows(y, seed).holdout_rows, partition.holdout_rows)


@given(
    periods=st.integers(20, 400),
    share=st.floats(0.2, 0.5),
    groups=st.one_of(st.none(), st.integers(1_500, 5_000)),
    seed=st.integers(0, 9),
)
def test_the_newest_whole_periods_are_held_out(periods: int, share: float, groups: int | None, seed: int) -> None:
    """No time is in both parts, no group either, and without the oldest held-out period the share isn't reached."""
    random = np.random.default_rng(seed)
    time = random.integers(0, periods, ROWS)
    group = None if groups is None else random.integers(0, groups, ROWS)

    partition = split_rows(outcomes(), seed, time=time, group=group, share=share)

    training, held, since = partition.training_rows, partition.holdout_rows, partition.since
    assert since is not None
    assert time[training].max() < since == time[held].min()
    assert len(held) >= share * ROWS > (time > since).sum()
    assert len(training) + len(held) + partition.left_out == ROWS
    if group is None:
        assert partition.left_out == 0
    else:
        assert not np.isin(group[training], group[held]).any()


def test_a_since_holds_out_all_rows_from_then_on() -> None:
    """Whatever the share would be."""
    time = parse_since("2006-01-01") + np.arange(ROWS)

    partition = split_rows(outcomes(), 0, time=time, since=parse_since("2007"))

    assert partition.training_rows.tolist() == list(range(365))
    assert partition.since == parse_since("2007-01-01")


@pytest.mark.parametrize(
    ("time", "since", "message"),
    [
        (np.arange(ROWS), "2030", r"the hold-out from 2030-01-01 on has 0 goods and 0 defaults"),
        (np.arange(ROWS), "1970", r"training rows have 0 goods and 0 defaults, expected at least 20 of each"),
        (np.arange(ROWS), "1972-09-01", r"has 21 goods and 5 defaults, .* from 1970-01-01 to 1972-09-26"),
        (np.zeros(ROWS, np.int64), None, r"give a day instead of the newest 20%"),
    ],
)
def test_a_hold_out_by_time_without_enough_outcomes_is_refused(time: Labels, since: str | None, message: str) -> None:
    """The message counts both parts and says where the times are."""
    with pytest.raises(TrainingError, match=message):
        split_rows(outcomes(), 0, time=time, since=None if since is None else parse_since(since))


@given(groups=st.integers(40, 900), parts=st.integers(2, 10), seed=st.integers(0, 99))
def test_groups_are_dealt_whole_into_parts_of_one_size(groups: int, parts: int, seed: int) -> None:
    """Parts have as many groups but for one, and their default rates are near one another."""
    random = np.random.default_rng(seed)
    group, y = random.integers(0, groups, ROWS) * 7, outcomes()

    part = deal_groups(y, group, parts, seed)

    counts = np.bincount([part[group == one][0] for one in np.unique(group)], minlength=parts)
    assert all(len(set(part[group == one])) == 1 for one in np.unique(group))
    assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(deal_groups(y, group, parts, seed), part)


@given(share=st.sampled_from([0.2, 0.5]), seed=st.integers(0, 99))
def test_a_hold_out_of_whole_groups_has_its_share_and_default_rate(share: float, seed: int) -> None:
    """Within what one group for each of the parts makes."""
    group, y = np.random.default_rng(seed).integers(0, 400, ROWS), outcomes()

    partition = split_rows(y, seed, group=group, share=share)

    held = partition.holdout_rows
    assert not np.isin(group[partition.training_rows], group[held]).any()
    assert sorted([*partition.training_rows, *held]) == list(range(ROWS))
    assert len(held) == pytest.approx(share * ROWS, abs=0.03 * ROWS)
    assert y[held].mean() == pytest.approx(0.2, abs=0.07)


@given(
    sizes=st.lists(st.one_of(st.integers(1, 9), st.integers(1, 300)), min_size=2, max_size=60),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 99),
)
def test_drawn_groups_are_as_near_to_the_share_as_whole_groups_allow(sizes: list[int], share: float, seed: int) -> None:
    """No other group fits; a hold-out above its share is so by less than one of its groups. There are two parts."""
    rows = np.array(sizes)
    group = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))

    drawn = draw_groups(np.arange(len(group)) % 2, group, share, seed)

    is_drawn, excess = np.isin(np.arange(len(sizes)), group[drawn]), drawn.sum() - share * len(group)
    assert 0 < drawn.sum() == rows[is_drawn].sum() < len(group)
    assert -rows[~is_drawn].min() < excess < rows[is_drawn].max()


@pytest.mark.parametrize(
    ("sizes", "share", "held"),
    [
        ([300, 180, 120], 0.2, 120),
        ([410, 70, 60, 60], 0.2, 120),
        ([200, 200, 200], 0.2, 200),
        ([400, *[1] * 200], 0.2, 120),
        ([3] * 200, 0.2, 120),
    ],
)
def test_a_giant_group_leaves_the_hold_out_its_share(sizes: list[int], share: float, held: int) -> None:
    """Whatever the seed: parts have about equal rows, not groups."""
    group = np.repeat(np.arange(len(sizes)), sizes)

    found = {len(split_rows(outcomes(len(group)), seed, group=group, share=share).holdout_rows) for seed in range(20)}

    assert found == {held}


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            [ROWS],
            "nearest to 20% has 0 of 1,000 rows, expected 10% to 40%; the rows of each group: 1,000; give a gr",
        ),
        (
            [980, *[1] * 20],
            "has 20 of 1,000 rows, .*; the rows of each group: 980, 1, 1, 1, 1 and 16 more; give a group",
        ),
        (
            [500, 500],
            "has 500 of 1,000 rows, expected 10% to 40%; .* with more groups, or another share with --holdout",
        ),
    ],
)
def test_groups_that_make_no_hold_out_of_about_its_share_are_told(sizes: list[int], message: str) -> None:
    """With their sizes."""
    with pytest.raises(TrainingError, match=message):
        split_rows(outcomes(), 0, group=np.repeat(np.arange(len(sizes)), sizes))


def test_older_rows_of_held_out_groups_are_told_where_they_are_the_cause() -> None:
    """And the advice is to train without the group."""
    time = np.arange(ROWS)

    with pytest.raises(
        TrainingError, match=r"without 800 older ones of groups in the hold-out; .* without the group or"
    ):
        split_rows(outcomes(), 0, time=time, group=time % 100)


def test_the_split_by_time_of_a_table_is_known() -> None:
    """It must not change silently: files name only the first day of their hold-out."""
    time = np.random.default_rng(0).integers(parse_since("2015"), parse_since("2020"), ROWS)

    partition = split_rows(outcomes(), 0, time=time)

    assert (format_day(partition.since or 0), len(partition.holdout_rows)) == ("2019-01-25", 200)


def test_the_split_by_group_of_a_table_is_known() -> None:
    """It must not change silently: `compare` draws the groups again."""
    partition = split_rows(outcomes(), 0, group=np.arange(ROWS) // 3)

    assert partition.holdout_rows[:8].tolist() == [0, 1, 2, 45, 46, 47, 48, 49]
