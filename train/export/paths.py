"""The paths to the leaves of a tree, by input field.

All that a path asks of one field is one condition; a row reaches the leaf if it satisfies the conditions of all fields.
Conditions are built of the comparisons of patterns.py and become rows of the graph in `satisfy`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from onnx import TensorProto

from train.export.branch import Branch
from train.export.patterns import NEVER_TRUE, Comparison, compare, evaluate
from train.export.shapley import FieldNumbers
from train.export.trees import Node, Split, Trees, collect_splits

Condition = frozenset[tuple[Comparison, bool]]
"""Comparisons with the outcome that each must have."""

NEVER: Condition = frozenset([(NEVER_TRUE, True)])
"""A condition that no applicant satisfies."""

Rows = dict[Condition, int]
"""The row of each condition in the result of `satisfy`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a path asks of one field.

    `share`: the product of the shares of the training rows that went the path's way at the splits of this field.
    """

    field: int
    condition: Condition
    share: float


@dataclass(frozen=True, slots=True)
class Path:
    """A path from the root to a node, one step for each field, in the order in which the fields occur."""

    steps: tuple[Step, ...] = ()

    def extend(self, field: int, split: Split, outcome: bool) -> Path:
        """The path one split further."""
        literal = (compare(split), outcome != split.missing_goes_true)
        share = split.true_share if outcome else 1 - split.true_share
        return self.join(Path((Step(field, frozenset([literal]), share),)))

    def join(self, other: Path) -> Path:
        """This path continued by another one."""
        steps = {step.field: step for step in self.steps}
        for step in other.steps:
            if step.field in steps:
                known = steps[step.field]
                step = Step(step.field, narrow(known.condition | step.condition), known.share * step.share)
            steps[step.field] = step
        return Path(tuple(steps.values()))


Leaf = tuple[Path, float]
"""The path to a leaf, and its value."""


def find_paths(tree: Node, field_of_column: FieldNumbers) -> Iterator[Leaf]:
    """Every leaf."""
    pending: list[tuple[Path, Node]] = [(Path(), tree)]
    while pending:
        path, node = pending.pop()
        if not isinstance(node, Split):
            yield path, node
            continue
        field = int(field_of_column[node.column])
        pending.append((path.extend(field, node, outcome=False), node.if_false))
        pending.append((path.extend(field, node, outcome=True), node.if_true))


def expected_value(trees: Trees) -> float:
    """The mean value of the training rows by the shares of the splits, which path-dependent contributions add up from.

    Raises ValueError if the share of the training rows is unknown for a split.
    """
    require_shares(trees)
    total = [trees.base / trees.divisor]
    for tree in trees.trees:
        pending: list[tuple[float, Node]] = [(1.0, tree)]
        while pending:
            weight, node = pending.pop()
            if isinstance(node, Split):
                pending.append((weight * node.true_share, node.if_true))
                pending.append((weight * (1 - node.true_share), node.if_false))
            else:
                total.append(weight * node / trees.divisor)
    return math.fsum(total)


def require_shares(trees: Trees) -> None:
    """Raise ValueError if the share of the training rows is unknown for a split."""
    if any(math.isnan(split.true_share) for split in collect_splits(trees)):
        raise ValueError(
            "the model doesn't tell how many training rows took each side of its splits, which reasons of trees with "
            "more than 7 distinct splits need; fit trees with at most 8 leaves"
        )


def narrow(condition: Condition) -> Condition:
    """The same condition with the narrowest of comparisons that imply each other."""
    ends: dict[tuple[bool, int, bool], float] = {}
    for (inverted, column, limit), expected in condition:
        side = (inverted, column, expected)
        # x <= limit and not (x >= limit) are narrower for smaller limits, the others for larger ones.
        choose = min if inverted != expected else max
        ends[side] = choose(ends.get(side, limit), limit)
    return frozenset(((inverted, column, limit), expected) for (inverted, column, expected), limit in ends.items())


def satisfy(branch: Branch, encoded: str, conditions: Sequence[Condition], *, is_one: bool) -> str:
    """Whether each applicant satisfies each condition: encoded (n, n_columns) → uint8, (n_conditions, n).

    The conditions must be distinct and in the order of `sort_conditions`. `is_one`: n is 1.
    """
    comparisons = sorted({comparison for condition in conditions for comparison, _ in condition})
    true = evaluate(branch, encoded, comparisons)
    both = branch.add("Concat", [true, branch.add("Not", [true])], axis=0)
    row = {(comparison, True): number for number, comparison in enumerate(comparisons)}
    row |= {(comparison, False): len(comparisons) + number for number, comparison in enumerate(comparisons)}
    parts = []
    for size, same in groupby(conditions, len):
        literals = np.array([[row[literal] for literal in sorted(condition)] for condition in same])
        joint = ""
        for place in range(size):
            literal = pick(branch, both, branch.constant("literals", literals[:, place, None]), is_one=is_one)
            joint = branch.add("And", [joint, literal]) if joint else literal
        parts.append(branch.reshape(joint, len(literals), -1))
    return branch.add("Cast", [branch.add("Concat", parts, axis=0)], to=TensorProto.UINT8)


def pick(branch: Branch, x: str, rows: str, *, is_one: bool) -> str:
    """Some rows, (k, 1), of a tensor (m, n): (k, 1) if n is 1, else (k, 1, n)."""
    # For single numbers GatherElements is ten times as fast as Gather.
    return branch.add("GatherElements" if is_one else "Gather", [x, rows], axis=0)


def sort_conditions(conditions: set[Condition]) -> list[Condition]:
    """The order of the rows of `satisfy`."""
    return sorted(conditions, key=lambda condition: (len(condition), sorted(condition)))
