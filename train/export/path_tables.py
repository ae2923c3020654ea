"""Tables of path-dependent Shapley values (path_groups.py) and their look-up, as nodes of the graph.

The file has the factors of the tables only. The nodes that multiply them have constants alone as inputs: onnxruntime
computes them once, when it loads the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.path_groups import Group
from train.export.paths import NEVER, Rows, pick
from train.export.quadrature import Quadrature, choose_points, differentiate

BYTE = 8
"""Bits of a pattern that are added up at once."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of all groups in a row: name of the constant, and where the table of each group starts."""

    name: str
    starts: tuple[tuple[Group, int], ...]


@dataclass(frozen=True, slots=True)
class TableLookup:
    """Names of the constants for a look-up of groups whose tables have the same number of fields.

    `rows`: of the conditions, bit by bit. `weights`: of the bits of a pattern, as one or two bytes. `starts`: of the
    first value of each field of each group.
    """

    table: str
    rows: str
    weights: str
    starts: str
    owners: str
    n_groups: int
    n_fields: int
    n_bits: int

    def emit(self, branch: Branch, satisfied: str, *, is_one: bool) -> str:
        """The values of the groups' patterns: satisfied (n_conditions, n) → float64, (n_groups, n_fields, n)."""
        by_bit = branch.reshape(pick(branch, satisfied, self.rows, is_one=is_one), self.n_bits, -1)
        pattern = branch.add("MatMulInteger", [self.weights, by_bit])
        if self.n_bits > BYTE:
            low, high = (branch.add("Gather", [pattern, branch.constant("byte", np.array(byte))]) for byte in (0, 1))
            shifted = branch.add("Mul", [high, branch.constant("base", np.array([2**BYTE], np.int32))])
            pattern = branch.add("Add", [low, shifted])
        width = branch.constant("width", np.array(self.n_fields, np.int32))
        entry = branch.add("Mul", [branch.reshape(pattern, self.n_groups, 1, -1), width])
        index = branch.reshape(branch.add("Add", [entry, self.starts]), -1)
        found = branch.add("GatherElements", [self.table, index], axis=0)
        return branch.reshape(found, self.n_groups, self.n_fields, -1)


def add_tables(branch: Branch, groups: Sequence[Group]) -> Tables:
    """Add the tables of at least one group to the branch."""
    ordered = sorted(groups, key=_shape)
    parts = [_add_tables(branch, list(same)) for _, same in groupby(ordered, _shape)]
    starts = accumulate((group.n_values for group in ordered), initial=0)
    return Tables(branch.add("Concat", parts, axis=0), tuple(zip(ordered, starts, strict=False)))


def make_lookups(branch: Branch, tables: Tables, rows: Rows, most: int) -> Iterator[TableLookup]:
    """Add the constants of the look-up to the branch; at most `most` groups × fields are looked up at once."""
    ordered = sorted(tables.starts, key=lambda start: (len(start[0].fields), start[0].n_bits))
    for n_fields, found in groupby(ordered, lambda start: len(start[0].fields)):
        same = list(found)
        for first in range(0, len(same), max(most // n_fields, 1)):
            some = same[first : first + max(most // n_fields, 1)]
            n_bits = some[-1][0].n_bits
            weights = np.zeros((1 if n_bits <= BYTE else 2, n_bits), np.uint8)
            weights[np.arange(n_bits) // BYTE, np.arange(n_bits)] = 1 << np.arange(n_bits) % BYTE
            bits = [(*group.bits, *[NEVER] * (n_bits - group.n_bits)) for group, _ in some]
            starts = np.array([[start] for _, start in some], np.int32) + np.arange(n_fields, dtype=np.int32)
            yield TableLookup(
                tables.name,
                branch.constant("rows", np.array([[rows[bit] for bit in one] for one in bits]).T.reshape(-1, 1)),
                branch.constant("weights", weights),
                branch.constant("starts", starts[..., None]),
                branch.constant("owners", np.array([group.fields for group, _ in some])[..., None]),
                len(some),
                n_fields,
                n_bits,
            )


def _shape(group: Group) -> tuple[int, int, int]:
    return len(group.above), len(group.inner_bits), len(group.inner_fields)


def _add_tables(branch: Branch, groups: Sequence[Group]) -> str:
    """The tables of groups of the same shape, (n_groups, 2^bits, n_fields), in a row."""
    n_above, n_bits, n_inner = _shape(groups[0])
    rule = choose_points(n_above + n_inner)
    # By group, value or derivative, point, pattern.
    inner = np.stack([group.integrate_inner(rule) for group in groups])
    if not n_above:
        return branch.constant("table", np.swapaxes(inner[:, 1:].sum(axis=2), 1, 2).ravel())
    shares = np.array([[step.share for step in group.above] for group in groups])
    product, replaced = _multiply_above(branch, rule, shares)
    table = branch.add("MatMul", [branch.constant("values", np.swapaxes(inner[:, :1], 2, 3)), replaced])
    if n_inner:
        derivatives = np.moveaxis(inner[:, 1:], 1, 3).reshape(len(groups), 1, len(rule.points), -1)
        below = branch.add("MatMul", [product, branch.constant("derivatives", derivatives)])
        shaped = branch.reshape(below, len(groups), 2**n_above, 2**n_bits, n_inner)
        table = branch.add("Concat", [table, shaped], axis=3)
    return branch.reshape(table, -1)


def _multiply_above(branch: Branch, rule: Quadrature, shares: Matrix) -> tuple[str, str]:
    """The product of the factors of the fields above, and with each replaced by its derivative, for every pattern.

    shares (n_groups, k) → (n_groups, 2^k, 1, n_points) and (n_groups, 2^k, n_points, k).
    """
    bits: npt.NDArray[np.int64] = np.arange(2 ** shares.shape[1])[:, None] >> np.arange(shares.shape[1]) & 1
    missed, hit = differentiate(rule, shares)
    satisfied = branch.constant("bits", bits[:, None].astype(np.float64))
    moved = branch.add("Mul", [satisfied, branch.constant("points", rule.points[:, None])])
    least = branch.constant("least", np.swapaxes(shares[..., None] * (1 - rule.points), 1, 2)[:, None])
    factors = branch.add("Add", [moved, least])
    product = branch.add("ReduceProd", [factors, branch.constant("fields", np.array([3]))])
    more = branch.add("Mul", [satisfied, branch.constant("more", np.swapaxes(hit - missed, 1, 2)[:, None])])
    derivatives = branch.add("Add", [more, branch.constant("missed", missed[:, None])])
    row = branch.reshape(product, len(shares), bits.shape[0], 1, -1)
    return row, branch.add("Mul", [product, derivatives])
