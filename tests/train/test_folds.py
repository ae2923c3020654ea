"""The folds of cross-validation: random ones, and those that go forward in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.dataset import Dataset
from train.errors import TrainingError
from train.folds import FOLDS, MIN_FOLD_ROWS, make_folds, make_forward_folds, make_random_folds
from train.target import Labels

ROWS = 2_000


def outcomes(seed: int = 0) -> Labels:
    """A fifth of them defaults."""
    return (np.random.default_rng(seed).random(ROWS) < 0.2).astype(np.int64)


@given(periods=st.integers(2, 500), groups=st.one_of(st.none(), st.integers(1_500, 5_000)), seed=st.integers(0, 99))
def test_forward_folds_fit_on_the_past_alone(periods: int, groups: int | None, seed: int) -> None:
    """Each measured period is whole, later than the rows fitted on and than earlier periods, without their groups."""
    random = np.random.default_rng(seed)
    time, y = random.integers(0, periods, ROWS), outcomes(seed)
    group = None if groups is None else random.integers(0, groups, ROWS)

    folds = make_forward_folds(time, y, group)

    assert 1 <= len(folds) <= FOLDS
    ends = [-1, *(time[fold.measured].max() for fold in folds)]
    for fold, end in zip(folds, ends, strict=False):
        first, last = time[fold.measured].min(), time[fold.measured].max()
        assert time[fold.fitted].max() < first
        assert first > end
        assert np.isin(np.flatnonzero((time >= first) & (time <= last)), fold.measured).all()
        assert min(np.bincount(y[fold.measured], minlength=2)) >= MIN_FOLD_ROWS
        if group is None:
            assert len(fold.fitted) == (time < first).sum()
        else:
            assert not np.isin(group[fold.fitted], group[fold.measured]).any()


def test_forward_folds_measure_the_newer_half_in_equal_parts() -> None:
    """The first fold fits on half of the rows, so that settings are chosen for about as many as the model has."""
    folds = make_forward_folds(np.arange(ROWS), outcomes())

    assert [len(fold.fitted) for fold in folds] == [1_000, 1_200, 1_400, 1_600, 1_800]
    assert [len(fold.measured) for fold in folds] == [200] * FOLDS


def test_years_are_not_cut() -> None:
    """Three years give two folds: each later year by those before it."""
    folds = make_forward_folds(np.repeat([0, 365, 730], [700, 600, 700]), outcomes())

    assert [(len(fold.fitted), len(fold.measured)) for fold in folds] == [(700, 600), (1_300, 700)]


def test_periods_with_too_few_defaults_are_joined() -> None:
    """Here the newest three tenths have all but none."""
    y = outcomes()
    y[-590:] = 0

    folds = make_forward_folds(np.arange(ROWS), y)

    assert len(folds) == 2
    assert folds[-1].measured[-1] == ROWS - 1


@pytest.mark.parametrize(
    "time", [np.zeros(ROWS, np.int64), (np.arange(ROWS) > 50).astype(np.int64), (np.arange(ROWS) > 1_950).astype(int)]
)
def test_one_period_gives_no_folds(time: Labels) -> None:
    """The message says what is needed."""
    with pytest.raises(TrainingError, match="too few for one period to fit on and a later one to measure"):
        make_forward_folds(time, outcomes())


@pytest.mark.parametrize("has_groups", [False, True])
def test_random_folds_measure_each_row_once(has_groups: bool) -> None:
    """Five of them, stratified by outcomes; whole groups together."""
    y = outcomes()
    group = np.arange(ROWS) // 3 if has_groups else None

    folds = make_folds(Dataset(np.zeros((ROWS, 1)), y, group=group), 0)

    assert sorted(np.concatenate([fold.measured for fold in folds]).tolist()) == list(range(ROWS))
    for fold in folds:
        assert sorted([*fold.fitted, *fold.measured]) == list(range(ROWS))
        assert y[fold.measured].mean() == pytest.approx(y.mean(), abs=0.01)
        if group is not None:
            assert not np.isin(group[fold.fitted], group[fold.measured]).any()


@given(groups=st.integers(2, 12), rate=st.floats(0.05, 0.5), seed=st.integers(0, 99))
def test_few_groups_give_fewer_folds(groups: int, rate: float, seed: int) -> None:
    """Each with goods and defaults on both sides, if two groups have both; every row is measured once."""
    random = np.random.default_rng(seed)
    group = random.choice(groups, 200, p=random.dirichlet(np.ones(groups)))
    y = (random.random(200) < rate).astype(np.int64)

    if sum(len(set(y[group == one])) == 2 for one in np.unique(group)) < 2:
        return
    folds = make_random_folds(Dataset(np.zeros((200, 1)), y, group=group), seed)

    assert 2 <= len(folds) <= min(FOLDS, len(np.unique(group)))
    assert sorted(np.concatenate([fold.measured for fold in folds]).tolist()) == list(range(200))
    for fold in folds:
        assert not np.isin(group[fold.fitted], group[fold.measured]).any()
        assert all(len(set(y[rows])) == 2 for rows in (fold.fitted, fold.measured))


@pytest.mark.parametrize(("groups", "folds"), [(2, 2), (3, 3), (4, 4), (5, 5), (6, 5)])
def test_equal_groups_give_as_many_folds_as_there_are(groups: int, folds: int) -> None:
    """Up to five."""
    data = Dataset(np.zeros((ROWS, 1)), outcomes(), group=np.arange(ROWS) % groups)

    assert len(make_random_folds(data, 0)) == folds


@pytest.mark.parametrize(
    ("group", "defaults", "message"),
    [
        (np.zeros(100, np.int64), 20, "100 training rows of 1 group, 20 of them defaults, can't be .* more groups"),
        (np.arange(100) // 20, 20, "100 training rows of 5 groups, 20 of them defaults, can't be .* more groups"),
        (None, 1, "100 training rows, 1 of them defaults, can't be dealt into two parts .*; hold out fewer"),
    ],
)
def test_what_can_not_be_dealt_into_two_parts_is_told(group: Labels | None, defaults: int, message: str) -> None:
    """One group, all defaults in one group, one default."""
    y = (np.arange(100) < defaults).astype(np.int64)

    with pytest.raises(TrainingError, match=message):
        make_random_folds(Dataset(np.zeros((100, 1)), y, group=group), 0)


def test_few_defaults_give_fewer_folds_without_groups_too() -> None:
    """Three defaults are in three folds."""
    data = Dataset(np.zeros((100, 1)), (np.arange(100) < 3).astype(np.int64))

    assert len(make_random_folds(data, 0)) == 3


def test_groups_that_leave_too_few_to_fit_on_are_told() -> None:
    """Not the times, of which there are enough."""
    time, y = np.arange(ROWS), outcomes()

    with pytest.raises(TrainingError, match=r"because up to 1,[0-9]* older rows are of groups that are measured later"):
        make_forward_folds(time, y, time % 20)

    assert len(make_forward_folds(time, y)) == FOLDS
