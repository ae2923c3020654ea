"""Trees as data: the common representation of all libraries of trees. Graph and reasons are built from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from train.fitted.steps import Matrix


@dataclass(frozen=True, slots=True)
class Split:
    """The comparison `x[column] <= threshold` in float64, and the subtrees of its two outcomes.

    A missing value goes to `if_true` if `missing_goes_true`, else to `if_false`. `true_share`: the share of this node's
    training rows that went to `if_true`, NaN if unknown.
    """

    column: int
    threshold: float
    missing_goes_true: bool
    if_true: Node
    if_false: Node
    true_share: float = math.nan

    def is_true(self, rows: Matrix) -> npt.NDArray[np.bool_]:
        """The outcome for encoded rows, shape (m, n_columns): bool, shape (m,)."""
        return self.outcomes(rows[:, self.column])

    def outcomes(self, x: Matrix) -> npt.NDArray[np.bool_]:
        """The outcome for values of the split's column: bool, of the shape of `x`."""
        return np.where(np.isnan(x), self.missing_goes_true, x <= self.threshold)


Node: TypeAlias = "Split | float"
"""A split, or the value of a leaf in log-odds."""


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble: the value of a row is `base` plus the leaves that it reaches in every tree, divided by `divisor`.

    `divisor`: of a mean of trees, divided once as its library does, because such means often meet a threshold exactly.
    """

    base: float
    trees: tuple[Node, ...]
    divisor: float = 1.0

    def log_odds(self, rows: Matrix) -> Matrix:
        """Values, shape (m,), of encoded rows, shape (m, n_columns): the leaves added in the order of the trees."""
        total = np.full(len(rows), self.base)
        for tree in self.trees:
            for value, here in _group_by_leaf(tree, rows):
                total[here] += value
        return total if self.divisor == 1.0 else total / self.divisor

    def negated(self) -> Trees:
        """The log-odds of the other class; exact, because only signs change."""
        return Trees(-self.base, tuple(_map_leaves(tree, lambda value: -value) for tree in self.trees), self.divisor)

    def complemented(self) -> Trees:
        """1 − the value; for trees of probabilities."""
        turned = self.negated()
        return replace(turned, base=self.divisor + turned.base)

    def scaled(self, slope: float, offset: float) -> Trees:
        """slope · value + offset, without divisor."""
        factor = slope / self.divisor
        trees = tuple(_map_leaves(tree, lambda value: value * factor) for tree in self.trees)
        return Trees(self.base * factor + offset, trees)

    def divided(self) -> Trees:
        """The same value but for rounding, without divisor."""
        return self if self.divisor == 1.0 else self.scaled(1.0, 0.0)

    def leaves(self, rows: Matrix) -> npt.NDArray[np.int64]:
        """The number of the leaf that each row reaches in each tree: shape (m, n_trees)."""
        numbers = np.zeros((len(rows), len(self.trees)), np.int64)
        for column, tree in enumerate(self.trees):
            for number, (_, here) in enumerate(_group_by_leaf(tree, rows)):
                numbers[here, column] = number
        return numbers


def _map_leaves(node: Node, change: Callable[[float], float]) -> Node:
    if not isinstance(node, Split):
        return change(node)
    return replace(node, if_true=_map_leaves(node.if_true, change), if_false=_map_leaves(node.if_false, change))


def _group_by_leaf(tree: Node, rows: Matrix) -> Iterator[tuple[float, npt.NDArray[np.int64]]]:
    """The value of each leaf that is reached, and the numbers of the rows that reach it."""
    # Not recursive: a chain of splits may be deeper than Python's recursion limit.
    pending: list[tuple[Node, npt.NDArray[np.int64]]] = [(tree, np.arange(len(rows)))]
    while pending:
        node, here = pending.pop()
        if not isinstance(node, Split):
            yield node, here
            continue
        true = node.outcomes(rows[here, node.column])
        for child, part in ((node.if_false, here[~true]), (node.if_true, here[true])):
            if len(part):
                pending.append((child, part))


def collect_splits(trees: Trees) -> list[Split]:
    """Every split of every tree, in the order of the trees."""
    splits: list[Split] = []
    pending = list(reversed(trees.trees))
    while pending:
        node = pending.pop()
        if isinstance(node, Split):
            splits.append(node)
            pending += [node.if_false, node.if_true]
    return splits
