"""Trees after functions whose last digits differ between numpy and ONNX Runtime, as trees of the fields themselves.

A logarithm may differ by an ulp and send an applicant to another leaf. As the functions are monotonic, the split
`f(x) <= threshold` is a split of x, whose place is found by bisection over the float64 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from train.fitted.functions import Restrict, is_rounded
from train.fitted.model import Member
from train.fitted.ranks import bisect, from_rank, to_rank
from train.fitted.steps import Fill, Matrix, Owners, Parallel, Select, Steps, apply_steps, follow_steps
from train.fitted.trees import Node, Split, Trees, collect_splits

LIMIT = 1e100
"""Largest number that the graph takes (MAX_MAGNITUDE, model/contract.py)."""

GRID = from_rank(np.linspace(to_rank(np.array(-LIMIT)), to_rank(np.array(LIMIT)), 20_001).astype(np.int64))
"""Numbers where it is checked that a function is monotonic."""

NEIGHBOURS = np.arange(-16, 18)
"""Ranks of the numbers beside a split where its outcome is checked."""

SAME, ROUNDED = frozenset([0]), frozenset([1])


@dataclass(frozen=True, slots=True)
class Pulled:
    """A column as a function of its field.

    A missing value counts as `fill`, if that isn't NaN. Numbers outside of [low, high] give what a missing value that
    isn't filled gives, `missing`. `is_rising`: the function rises.
    """

    field: int
    fill: float
    low: float
    high: float
    is_rising: bool
    missing: float

    @property
    def source(self) -> tuple[int, float, float, float]:
        """The column of the trees that replaces this one."""
        return self.field, self.fill if np.isfinite(self.fill) else -math.inf, self.low, self.high


def pull_back(member: Member, width: int) -> Member:
    """The same member with splits of fields instead of columns that a rounded function computes.

    `width`: the number of columns that the object was fitted on. Raises ValueError for a function that isn't monotonic.
    """
    if not isinstance(member.function, Trees) or not any(map(is_rounded, member.steps)):
        return member
    marks = _mark_rounded(member.steps, (SAME,) * width)
    owners = follow_steps(member.steps, tuple(frozenset([number]) for number in range(width)))
    used = sorted({split.column for split in collect_splits(member.function)})
    rounded = [column for column in used if marks[column] & ROUNDED]
    if not rounded:
        return member
    kept = [column for column in used if column not in rounded]
    pulled = _trace(member.steps, {column: next(iter(owners[column])) for column in rounded}, width)
    sources = sorted({own.source for own in pulled.values()})
    place = {column: number for number, column in enumerate(kept)} | {
        column: len(kept) + sources.index(own.source) for column, own in pulled.items()
    }
    ends = _find_ends(member.steps, member.function, pulled, width)
    trees = tuple(_replace_splits(tree, pulled, place, ends) for tree in member.function.trees)
    fields: Steps = (Select(tuple(source[0] for source in sources)),)
    fill, low, high = np.array([source[1:] for source in sources]).T
    if np.isfinite(fill).any():
        fields = (*fields, Fill(np.where(np.isfinite(fill), fill, np.nan)))
    if np.isfinite([low, high]).any():
        fields = (*fields, Restrict(low, high))
    steps: Steps = (Parallel(((*member.steps, Select(tuple(kept))), fields)),) if kept else fields
    # The classifier takes other columns than the function now.
    return replace(member, steps=steps, function=replace(member.function, trees=trees), classifier=None)


def _mark_rounded(steps: Steps, marks: Owners) -> Owners:
    """For each column whether a rounded function took part in it."""
    for step in steps:
        if isinstance(step, Parallel):
            marks = tuple(mark for branch in step.branches for mark in _mark_rounded(branch, marks))
        elif is_rounded(step):
            marks = tuple(ROUNDED for _ in step.follow(marks))
        else:
            marks = step.follow(marks)
    return marks


def _evaluate(steps: Steps, numbers: Matrix, width: int) -> Matrix:
    """The columns for rows in which all fields have the same value."""
    return apply_steps(steps, np.repeat(numbers[:, None], width, axis=1))


def _evaluate_column(steps: Steps, width: int, column: int, numbers: Matrix) -> Matrix:
    return _evaluate(steps, numbers, width)[:, column]


def _trace(steps: Steps, fields: dict[int, int], width: int) -> dict[int, Pulled]:
    values, missing = _evaluate(steps, GRID, width), _evaluate(steps, np.array([np.nan]), width)[0]
    return {
        column: _trace_column(
            field, values[:, column], float(missing[column]), partial(_evaluate_column, steps, width, column)
        )
        for column, field in fields.items()
    }


def _trace_column(field: int, values: Matrix, missing: float, evaluate: Callable[[Matrix], Matrix]) -> Pulled:
    """`values`: of the function on the grid; `missing`: for a missing value."""
    fills = not math.isnan(missing) and bool(np.isnan(values).any())
    gap = math.nan if fills else missing
    inside = np.flatnonzero(~_equals(values, gap))
    if not len(inside):
        raise ValueError("a function before the trees gives the same for every number, so that it can't be exported")
    first, last = int(inside[0]), int(inside[-1])
    rises = values[first + 1 : last + 1] >= values[first:last]
    falls = values[first + 1 : last + 1] <= values[first:last]
    if not (rises.all() or falls.all()):
        raise ValueError(
            "a function that rises and falls can't be exported exactly together with a logarithm or a power before "
            "trees; fit the trees on the fields themselves"
        )
    is_rising = bool(rises.all())
    low, high, fill = -math.inf, math.inf, math.nan
    if first > 0:
        below = bisect(GRID[first - 1 : first], GRID[first : first + 1], lambda x: _equals(evaluate(x), gap))
        low = math.nextafter(float(below[0]), math.inf)
    if last < len(GRID) - 1:
        high = float(bisect(GRID[last : last + 1], GRID[last + 1 : last + 2], lambda x: ~_equals(evaluate(x), gap))[0])
    if fills:
        ends = np.array([max(low, -LIMIT)]), np.array([min(high, LIMIT)])
        sign = 1.0 if is_rising else -1.0
        fill = float(bisect(*ends, lambda x: sign * evaluate(x) <= sign * missing)[0])
        if evaluate(np.array([fill]))[0] != missing:
            raise ValueError("what an imputer fills in before a logarithm can't be exported; fill it in after it")
    return Pulled(field, fill, low, high, is_rising, gap)


def _equals(values: Matrix, one: float) -> npt.NDArray[np.bool_]:
    return np.isnan(values) if np.isnan(one) else values == one


def _find_ends(steps: Steps, trees: Trees, pulled: dict[int, Pulled], width: int) -> dict[tuple[int, float], float]:
    """(column, threshold) → the largest number of the first outcome: true if the function rises, else false."""
    cases = sorted({(split.column, split.threshold) for split in collect_splits(trees) if split.column in pulled})
    column, threshold = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    rises = np.array([pulled[number].is_rising for number in column])
    low = np.array([max(pulled[number].low, -LIMIT) for number in column])
    high = np.array([min(pulled[number].high, LIMIT) for number in column])
    every = np.arange(len(cases))

    def is_first(x: Matrix) -> npt.NDArray[np.bool_]:
        is_true: npt.NDArray[np.bool_] = _evaluate(steps, x, width)[every, column] <= threshold
        is_expected: npt.NDArray[np.bool_] = is_true == rises
        return is_expected

    starts, stops = is_first(low), is_first(high)
    inner = starts & ~stops
    found = bisect(np.where(inner, low, 0.0), np.where(inner, high, 5e-324), lambda x: is_first(x) & inner)
    ends = np.where(inner, found, np.where(starts, math.inf, -math.inf))
    for shift in NEIGHBOURS:
        x = from_rank(to_rank(np.where(inner, found, low)) + shift)
        is_wrong = inner & (x >= low) & (x <= high) & (is_first(x) != (x <= ends))
        if is_wrong.any():
            raise ValueError(
                "a function before the trees isn't monotonic in its last digits, so that it can't be exported exactly; "
                "fit the trees on the fields themselves"
            )
    return dict(zip(cases, ends.tolist(), strict=True))


def _replace_splits(
    node: Node, pulled: dict[int, Pulled], place: dict[int, int], ends: dict[tuple[int, float], float]
) -> Node:
    if not isinstance(node, Split):
        return node
    true, false = (_replace_splits(child, pulled, place, ends) for child in (node.if_true, node.if_false))
    column = place[node.column]
    if node.column not in pulled:
        return replace(node, column=column, if_true=true, if_false=false)
    own, end = pulled[node.column], ends[node.column, node.threshold]
    missing_true = node.missing_goes_true if math.isnan(own.missing) else own.missing <= node.threshold
    pulled_node = Split(column, end, missing_true, true, false, node.true_share)
    if not own.is_rising:
        pulled_node = _swap(pulled_node)
    # No number goes the first way.
    return replace(_swap(pulled_node), threshold=math.inf) if end == -math.inf else pulled_node


def _swap(split: Split) -> Split:
    return Split(
        split.column,
        split.threshold,
        not split.missing_goes_true,
        split.if_false,
        split.if_true,
        1.0 - split.true_share,
    )
