"""Dealing and drawing whole groups, such as all applications of one person, with the default rate of all.

The parts depend on outcomes, groups and seed alone. They must not change silently: `compare` draws them again.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from train.target import Labels

STRATA = 20
"""Parts that groups are dealt into before some are drawn, so that the first of them are as all are."""


def deal_groups(y: Labels, group: Labels, parts: int, seed: int) -> Labels:
    """The part of each row, int64, shape (n,), 0 to parts − 1; rows of one group are in one part.

    Groups are ordered by their numbers of defaults and of rows, the largest first, and each run of as many groups as
    there are parts is dealt one to a part, at random.
    """
    codes = np.unique(group, return_inverse=True)[1]
    return _deal(y, codes, parts, np.random.default_rng(seed))[codes]


def draw_groups(y: Labels, group: Labels, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are drawn, bool, shape (n,): whole groups, with as near to a share of the rows as they come.

    Groups are taken at random as long as they fit, so that the share is missed by less than one group. One group at
    least isn't drawn, and of several one is.
    """
    codes = np.unique(group, return_inverse=True)[1]
    rows, random = np.bincount(codes), np.random.default_rng(seed)
    part = _deal(y, codes, STRATA, random)
    order = np.lexsort((random.random(len(rows)), part))
    target = share * len(y)

    fitting = _take(order, rows, target)
    smallest = int(min(np.setdiff1d(order, fitting), key=lambda one: rows[one]))
    # One group too many, or the same again around this group.
    others = [[*fitting, smallest], [smallest, *_take(order[order != smallest], rows, target - rows[smallest])]]
    choices = [one for one in (fitting, *others) if 0 < len(one) < len(rows)]
    return np.isin(codes, min(choices, key=lambda one: abs(rows[one].sum() - target), default=[]))


def _deal(y: Labels, codes: Labels, parts: int, random: np.random.Generator) -> Labels:
    """The part of each group; `codes`: the number of each row's group."""
    rows = np.bincount(codes)
    defaults = np.bincount(codes[y == 1], minlength=len(rows))
    shuffled = random.permutation(len(rows))
    order = shuffled[np.lexsort((-rows[shuffled], -defaults[shuffled]))]
    runs = np.tile(np.arange(parts), (len(rows) // parts + 1, 1))
    part = np.empty(len(rows), np.int64)
    part[order] = random.permuted(runs, axis=1).ravel()[: len(rows)]
    return part


def _take(order: Iterable[int], rows: Labels, room: float) -> list[int]:
    """The groups, in this order, that fit into the room that those before them have left."""
    taken = []
    for one in order:
        if rows[one] <= room:
            taken.append(int(one))
            room -= rows[one]
    return taken
