"""Neighbouring leaves of a tree as one table of path-dependent Shapley values. Used by path_shapley.py.

What the leaves below a node contribute depends on which conditions of the path to the node are satisfied and which
splits below it are true. With up to 10 of them that is a table of at most 2^10 patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.paths import Condition, Leaf, Path, Step, find_paths
from train.export.patterns import Comparison, compare
from train.export.quadrature import Quadrature, choose_points, differentiate
from train.export.shapley import FieldNumbers
from train.export.trees import Node, Split

GROUP_BITS, PAIR_BITS = 8, 10
"""Maximum of conditions and splits of a group, and of the two leaves of one split, or of one leaf."""


@dataclass(frozen=True, slots=True)
class Group:
    """The leaves below a node.

    `above`: what the path to the node asks of fields that the splits below don't compare. `shared`: what it asks of the
    others. `comparisons`: of the splits below. `leaves`: their paths from the node on and their values.
    """

    above: tuple[Step, ...]
    shared: tuple[Step, ...]
    comparisons: tuple[Comparison, ...]
    leaves: tuple[Leaf, ...]

    @property
    def inner_bits(self) -> tuple[Condition, ...]:
        """The low bits of the group's patterns; the high ones are the conditions `above`."""
        asked = (step.condition for step in self.shared)
        return (*asked, *(frozenset([(comparison, True)]) for comparison in self.comparisons))

    @property
    def inner_fields(self) -> tuple[int, ...]:
        """The fields of the low bits."""
        below = {step.field for path, _ in self.leaves for step in path.steps}
        return tuple(sorted(below | {step.field for step in self.shared}))

    @property
    def fields(self) -> tuple[int, ...]:
        """The fields of the table's values: those above, then the others."""
        return (*(step.field for step in self.above), *self.inner_fields)

    @property
    def bits(self) -> tuple[Condition, ...]:
        """The bits of a pattern, the lowest first."""
        return (*self.inner_bits, *(step.condition for step in self.above))

    @property
    def n_bits(self) -> int:
        """The number of bits."""
        return len(self.above) + len(self.shared) + len(self.comparisons)

    @property
    def n_values(self) -> int:
        """Size of the table."""
        return len(self.fields) << self.n_bits

    def whole_paths(self) -> list[Leaf]:
        """The leaves with their paths from the root on."""
        start = Path((*self.above, *self.shared))
        return [(start.join(path), value) for path, value in self.leaves]

    def balanced(self) -> Group:
        """The group with so many conditions above moved to the low bits that its factors are smallest."""
        points = len(choose_points(len(self.fields)).points)
        n_above, n_bits, n_inner = len(self.above), len(self.inner_bits), len(self.inner_fields)

        def measure(kept: int) -> int:
            moved = n_above - kept
            inner = n_inner + moved << n_bits + moved
            # The other factor isn't in the file. A table without conditions above is summed over the points.
            return points * (4 * inner + (kept << kept)) if kept else 4 * inner

        kept = min(range(n_above + 1), key=measure)
        return Group(self.above[:kept], (*self.above[kept:], *self.shared), self.comparisons, self.leaves)

    def integrate_inner(self, rule: Quadrature) -> Matrix:
        """The weighted integrand for each pattern of the low bits: float64, (1 + fields, n_points, 2^bits).

        First the leaves' values times the factors of all inner fields, then with the factor of each field replaced by
        its derivative.
        """
        bits, fields = _patterns(len(self.inner_bits)), self.inner_fields
        column = {comparison: len(self.shared) + number for number, comparison in enumerate(self.comparisons)}
        place = {field: number for number, field in enumerate(fields)}
        total = np.zeros((1 + len(fields), len(rule.points), bits.shape[1]))
        for path, value in self.leaves:
            satisfied = np.ones((len(fields), bits.shape[1]), np.bool_)
            shares = np.ones(len(fields))
            for number, step in enumerate(self.shared):
                satisfied[place[step.field]] = bits[number]
                shares[place[step.field]] = step.share
            for step in path.steps:
                shares[place[step.field]] *= step.share
                for comparison, expected in step.condition:
                    satisfied[place[step.field]] &= bits[column[comparison]] == expected
            missed, hit = differentiate(rule, shares)
            least = shares[:, None] * (1 - rule.points)
            factors = least[..., None] + rule.points[:, None] * satisfied[:, None]
            product = value * rule.weights[:, None] * factors.prod(axis=0)
            total[0] += product
            total[1:] += product * np.where(satisfied[:, None], hit[..., None], missed[:, None])
        return total


def divide(tree: Node, field_of_column: FieldNumbers) -> Iterator[Group | Leaf]:
    """Groups of leaves that a table can hold, and the single leaves whose paths ask too many fields."""
    pending: list[tuple[Path, Node]] = [(Path(), tree)]
    while pending:
        path, node = pending.pop()
        comparisons = _compare_below(node)
        is_pair = isinstance(node, Split) and not (isinstance(node.if_true, Split) or isinstance(node.if_false, Split))
        most = PAIR_BITS if is_pair or not isinstance(node, Split) else GROUP_BITS
        if len(path.steps) + len(comparisons) <= most:
            leaves = tuple(find_paths(node, field_of_column))
            below = {step.field for inner, _ in leaves for step in inner.steps}
            above = tuple(step for step in path.steps if step.field not in below)
            shared = tuple(step for step in path.steps if step.field in below)
            yield Group(above, shared, comparisons, leaves).balanced()
        elif isinstance(node, Split):
            field = int(field_of_column[node.column])
            pending.append((path.extend(field, node, outcome=False), node.if_false))
            pending.append((path.extend(field, node, outcome=True), node.if_true))
        else:
            yield path, node


def _compare_below(node: Node) -> tuple[Comparison, ...]:
    """The distinct comparisons of the splits below a node; of large subtrees as many as show that they are too many."""
    found: dict[Comparison, None] = {}
    pending = [node]
    while pending and len(found) <= PAIR_BITS:
        one = pending.pop()
        if isinstance(one, Split):
            found[compare(one)] = None
            pending += [one.if_false, one.if_true]
    return tuple(found)


@cache
def _patterns(n_bits: int) -> npt.NDArray[np.bool_]:
    """The bits of every pattern: shape (n_bits, 2^n_bits)."""
    bits: npt.NDArray[np.bool_] = np.arange(2**n_bits) >> np.arange(n_bits)[:, None] & 1 == 1
    return bits
