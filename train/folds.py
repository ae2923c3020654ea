"""The folds of cross-validation: which rows are fitted on, and which the fitted model is measured on.

Random folds keep whole groups together. Folds that go forward in time fit on all rows before a moment and measure on
those of the next period; rows of a group that is measured aren't fitted on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from sklearn.model_selection import StratifiedKFold

from train.dataset import Dataset
from train.errors import TrainingError
from train.groups import deal_groups
from train.holdout import Rows
from train.target import Labels
from train.time_formats import format_day

FOLDS = 5

FIRST_SHARE = 0.5
"""Share of the rows in the first period of forward folds, so that each fold fits about as many rows as the model."""

MIN_FOLD_ROWS = 20
"""Smallest number of goods and of defaults in a period of the folds that go forward in time."""


@dataclass(frozen=True, slots=True)
class FoldRows:
    """Row numbers, int64, ascending, of one fold."""

    fitted: Rows
    measured: Rows


def make_folds(data: Dataset, seed: int) -> list[FoldRows]:
    """The folds that settings and models are chosen on: forward in time where rows have times, else random."""
    return make_random_folds(data, seed) if data.time is None else make_forward_folds(data.time, data.y, data.group)


def make_random_folds(data: Dataset, seed: int) -> list[FoldRows]:
    """Random folds, stratified by outcomes, whole groups together; every row is measured once.

    Five, or as many as have goods and defaults on both sides; raises TrainingError if not even two have.
    """
    for count in range(min(FOLDS, _smaller_class(data.y)), 1, -1):
        folds = _split(data, count, seed)
        if all(_smaller_class(data.y[rows]) for fold in folds for rows in (fold.fitted, fold.measured)):
            return folds
    groups, advice = "", "hold out fewer with --holdout (in a card holdout)"
    if data.group is not None:
        number = len(np.unique(data.group))
        groups = f" of {number:,} group{'s' * (number > 1)}"
        advice = f"give a group column with more groups, {advice}, or train without the group"
    raise TrainingError(
        f"the {len(data.y):,} training rows{groups}, {int(data.y.sum()):,} of them defaults, can't be dealt into two "
        f"parts with goods and defaults each, one to fit on and one to measure; {advice}"
    )


def _split(data: Dataset, count: int, seed: int) -> list[FoldRows]:
    if data.group is not None:
        part = deal_groups(data.y, data.group, count, seed)
        return [FoldRows(np.flatnonzero(part != one), np.flatnonzero(part == one)) for one in range(count)]
    split = StratifiedKFold(count, shuffle=True, random_state=seed).split(data.X, data.y)
    return [FoldRows(fitted, measured) for fitted, measured in split]


def make_forward_folds(time: Labels, y: Labels, group: Labels | None = None) -> list[FoldRows]:
    """Up to five folds of consecutive periods: each is measured by a model of all rows before it.

    time, y, group: int64, shape (n,), as in Dataset.
    Periods are whole days, months, quarters or years with MIN_FOLD_ROWS goods and defaults each. The first has about
    half of the rows and is never measured; the others are about equal. Raises TrainingError if there is no other.
    """
    folds, lost = [], 0
    starts = _find_starts(time, y)
    for start, end in zip_longest(starts, starts[1:]):
        is_measured = (time >= start) & (True if end is None else time < end)
        is_fitted = time < start
        if group is not None:
            is_fitted &= ~np.isin(group, group[is_measured])
            lost = max(lost, int((time < start).sum() - is_fitted.sum()))
        if _smaller_class(y[is_fitted]) >= MIN_FOLD_ROWS:
            folds.append(FoldRows(np.flatnonzero(is_fitted), np.flatnonzero(is_measured)))
    if not folds:
        first, last = (format_day(int(day)) for day in (time.min(), time.max()))
        if starts:
            raise TrainingError(
                f"of the training rows from {first} to {last} too few are left to fit on, expected {MIN_FOLD_ROWS} "
                f"goods and defaults each, because up to {lost:,} older rows are of groups that are measured later; "
                "add rows, or train without the group or without a time"
            )
        raise TrainingError(
            f"the training rows from {first} to {last} have {len(np.unique(time))} distinct times, too few for "
            f"one period to fit on and a later one to measure, with {MIN_FOLD_ROWS} goods and defaults each; give "
            "finer times or a later --since, or train without a time"
        )
    return folds


def _find_starts(time: Labels, y: Labels) -> list[int]:
    """The first time of each measured period."""
    distinct, counts = np.unique(time, return_counts=True)
    if len(distinct) == 1:
        return []
    before = (np.cumsum(counts) - counts)[1:]
    targets = len(time) * (FIRST_SHARE + (1 - FIRST_SHARE) * np.arange(FOLDS) / FOLDS)
    starts = sorted({int(distinct[1 + np.abs(before - target).argmin()]) for target in targets})
    # A period with too few goods or defaults is joined with the one before it, the first one with the one after it.
    for start in starts[::-1]:
        later = [one for one in starts if one > start]
        is_period = (time >= start) & (time < later[0] if later else True)
        if _smaller_class(y[is_period]) < MIN_FOLD_ROWS:
            starts.remove(start)
    while starts and _smaller_class(y[time < starts[0]]) < MIN_FOLD_ROWS:
        starts.pop(0)
    return starts


def _smaller_class(y: Labels) -> int:
    return int(min(y.sum(), len(y) - y.sum()))
