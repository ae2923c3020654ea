"""The hold-out: rows that neither fitting nor the choice of a model uses.

Random rows, or with times the newest. The split depends on outcomes, groups, times, seed and card alone, so that
`compare` can tell which rows a model was trained on. It must not change silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from train.card import HOLDOUT_SHARE
from train.errors import TrainingError, shorten
from train.groups import draw_groups
from train.target import MIN_CLASS_ROWS, Labels
from train.time_formats import format_day

Rows = npt.NDArray[np.int64]

MAX_MISS = 2.0
"""A hold-out of whole groups has at least the share of rows divided by it, and at most the share times it."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Row numbers, int64, ascending: for fitting and choosing a model, and for the final measurement.

    `since`: days since 1970 from which on rows are held out; None for a random hold-out. `left_out`: older rows of a
    group that has rows in the hold-out too, in neither part.
    """

    training_rows: Rows
    holdout_rows: Rows
    since: int | None = None
    left_out: int = 0


def split_rows(
    y: Labels,
    seed: int,
    *,
    time: Labels | None = None,
    group: Labels | None = None,
    share: float = HOLDOUT_SHARE,
    since: int | None = None,
) -> Partition:
    """Split rows with outcomes y, shape (n,).

    Without `time` at random, stratified by outcomes, whole groups together. With it (days since 1970, shape (n,)) the
    rows from `since` on are held out, or the newest: the fewest whole days, months or years that make up `share`.
    Raises TrainingError if a part has too few goods or defaults.
    """
    if time is not None:
        return _split_by_time(y, time, group, share, since)
    if group is not None:
        return _split_groups(y, group, share, seed)
    training, holdout = train_test_split(np.arange(len(y)), test_size=share, stratify=y, random_state=seed)
    return Partition(np.sort(training), np.sort(holdout))


def _split_groups(y: Labels, group: Labels, share: float, seed: int) -> Partition:
    is_held = draw_groups(y, group, share, seed)
    if not share / MAX_MISS <= is_held.mean() <= share * MAX_MISS:
        sizes = [f"{size:,}" for size in np.sort(np.unique(group, return_counts=True)[1])[::-1]]
        raise TrainingError(
            f"the hold-out of whole groups that is nearest to {share:.0%} has {is_held.sum():,} of {len(y):,} rows, "
            f"expected {share / MAX_MISS:.0%} to {min(share * MAX_MISS, 1):.0%}; the rows of each group: "
            f"{shorten(sizes, 5)}; give a group column with more groups, or another share with --holdout (in a card "
            "holdout), or train without the group"
        )
    partition = Partition(np.flatnonzero(~is_held), np.flatnonzero(is_held))
    # As many as a random hold-out has at least.
    if fault := _describe_shortage(y, partition, max(round(share * MIN_CLASS_ROWS), 1)):
        raise TrainingError(
            f"the hold-out of whole groups has {fault}; give a group column with more groups, or train without it"
        )
    return partition


def _split_by_time(y: Labels, time: Labels, group: Labels | None, share: float, since: int | None) -> Partition:
    first, last = (format_day(int(day)) for day in (time.min(), time.max()))
    how = "another day"
    if since is None:
        since = find_since(time, share)
        how = f"a day instead of the newest {share:.0%}"
    is_held = time >= since
    is_older = ~is_held
    if group is not None:
        is_older &= ~np.isin(group, group[is_held])
    left_out = int((~is_held).sum() - is_older.sum())
    partition = Partition(np.flatnonzero(is_older), np.flatnonzero(is_held), since, left_out)
    if fault := _describe_shortage(y, partition, MIN_CLASS_ROWS):
        groups = f", without {left_out:,} older ones of groups in the hold-out" if left_out else ""
        without = "without the group or without a time" if left_out else "without a time"
        raise TrainingError(
            f"the hold-out from {format_day(since)} on has {fault}{groups}; the times are from {first} to {last}: "
            f"give {how} with --since (in a card since), or train {without}"
        )
    return partition


def find_since(time: Labels, share: float) -> int:
    """The first of the newest times that make up a share of the rows."""
    distinct, counts = np.unique(time, return_counts=True)
    newest = np.cumsum(counts[::-1])[::-1]
    return int(distinct[newest >= share * len(time)][-1])


def _describe_shortage(y: Labels, partition: Partition, minimum: int) -> str:
    """What the parts have if it is fewer than `minimum` goods or defaults, else ''."""
    counts = [np.bincount(y[rows], minlength=2) for rows in (partition.holdout_rows, partition.training_rows)]
    if np.min(counts) >= minimum:
        return ""
    held, older = (f"{goods:,} goods and {defaults:,} defaults" for goods, defaults in counts)
    return f"{held}, and the training rows have {older}, expected at least {minimum} of each"
