"""Path-dependent Shapley values of leaves with long paths, integrated for each applicant, as nodes of the graph.

Used by path_shapley.py. The product of the factors of up to five fields has one of 32 values at each point of the
quadrature; the product for a path is that of several such values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.paths import Leaf, Rows, pick
from train.export.quadrature import Quadrature, choose_points, differentiate
from train.export.shapley import FieldNumbers

MIN_PART, MAX_PART = 2, 5
"""How many fields' factors are multiplied in advance."""

MAX_PRODUCTS = 500_000
"""Maximum of products in the file, 4 MB; a larger model has fewer factors multiplied in advance."""

MAX_CHUNKS = 10
"""Into how many integrals the leaves of one length are divided at most."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Names of the constants for the products of the factors of a few fields on each path.

    `rows`: of the conditions, field by field. `weights`: of the bits of a pattern. `starts`: of the products of each
    point and leaf in the table.
    """

    rows: str
    weights: str
    table: str
    starts: str
    n_leaves: int
    n_fields: int

    def emit(self, branch: Branch, satisfied: str, *, is_one: bool) -> str:
        """The products: satisfied (n_conditions, n) → float64, (n_points, n_leaves, n)."""
        by_bit = branch.reshape(pick(branch, satisfied, self.rows, is_one=is_one), self.n_fields, -1)
        pattern = branch.reshape(branch.add("MatMulInteger", [self.weights, by_bit]), self.n_leaves, -1)
        index = branch.add("Add", [pattern, self.starts])
        found = branch.add("GatherElements", [self.table, branch.reshape(index, -1)], axis=0)
        return branch.add("Reshape", [found, branch.add("Shape", [index])])


@dataclass(frozen=True, slots=True)
class Integral:
    """Names of the constants for leaves whose paths ask the same number of fields.

    `rows`: of the conditions, leaf by leaf. `derivatives`: for each leaf that of a field whose condition isn't
    satisfied, then what is added to it for each of its fields if it is.
    """

    factors: tuple[Factors, ...]
    rows: str
    derivatives: str
    owners: str
    n_leaves: int
    n_fields: int

    def emit(self, branch: Branch, satisfied: str, *, is_one: bool) -> str:
        """The contributions of the leaves: satisfied (n_conditions, n) → float64, (n_leaves, n_fields, n)."""
        product = ""
        for factors in self.factors:
            factor = factors.emit(branch, satisfied, is_one=is_one)
            product = branch.add("Mul", [product, factor]) if product else factor
        sums = branch.add("MatMul", [self.derivatives, branch.add("Transpose", [product], perm=[1, 0, 2])])
        missed, more = (
            branch.add("Gather", [sums, branch.constant("which", np.array(which))], axis=1)
            for which in ([0], range(1, 1 + self.n_fields))
        )
        hits = branch.reshape(pick(branch, satisfied, self.rows, is_one=is_one), self.n_leaves, self.n_fields, -1)
        added = branch.add("Mul", [branch.add("Cast", [hits], to=TensorProto.DOUBLE), more])
        return branch.add("Add", [missed, added])


def make_integrals(branch: Branch, leaves: Sequence[Leaf], rows: Rows, most: int) -> Iterator[Integral]:
    """Add the constants for integrating leaves; about `most` leaves × fields are integrated at once."""
    part = MAX_PART
    while part > MIN_PART and sum(_count_products(leaf, part) for leaf in leaves) > MAX_PRODUCTS:
        part -= 1
    for n_fields, found in groupby(sorted(leaves, key=_count_fields), _count_fields):
        same = list(found)
        size = max(most // n_fields, len(same) // MAX_CHUNKS, 1)
        for first in range(0, len(same), size):
            yield _make_integral(branch, same[first : first + size], rows, part)


def _count_fields(leaf: Leaf) -> int:
    return len(leaf[0].steps)


def _count_products(leaf: Leaf, part: int) -> int:
    n_fields = _count_fields(leaf)
    return len(choose_points(n_fields).points) * -(-n_fields // part) << part


def _make_integral(branch: Branch, leaves: Sequence[Leaf], rows: Rows, part: int) -> Integral:
    paths = [path.steps for path, _ in leaves]
    asked = np.array([[rows[step.condition] for step in path] for path in paths])
    shares = np.array([[step.share for step in path] for path in paths])
    n_fields = shares.shape[1]
    rule = choose_points(n_fields)
    missed, hit = differentiate(rule, shares)
    derivatives = np.concatenate([np.broadcast_to(missed, (len(leaves), 1, len(missed))), hit - missed], axis=1)
    # The first factors also have the values of the leaves and the weights of the points.
    scale = rule.weights[:, None] * np.array([value for _, value in leaves])
    factors = []
    for first in range(0, n_fields, part):
        here = slice(first, first + part)
        factors.append(_make_factors(branch, rule, asked[:, here], shares[:, here], scale))
        scale = np.ones_like(scale)
    return Integral(
        tuple(factors),
        branch.constant("rows", asked.reshape(-1, 1)),
        branch.constant("derivatives", derivatives),
        branch.constant("owners", np.array([[step.field for step in path] for path in paths])[..., None]),
        len(leaves),
        n_fields,
    )


def _make_factors(branch: Branch, rule: Quadrature, asked: FieldNumbers, shares: Matrix, scale: Matrix) -> Factors:
    """The factors of some fields of each leaf: asked and shares (n_leaves, k), scale (n_points, n_leaves)."""
    n_leaves, n_fields = shares.shape
    bits = np.arange(2**n_fields) >> np.arange(n_fields)[:, None] & 1
    least = (shares * (1 - rule.points[:, None, None]))[..., None]
    # By point, leaf, pattern.
    table = scale[..., None] * (least + rule.points[:, None, None, None] * bits).prod(axis=2)
    starts = np.arange(0, table.size, table.shape[2], dtype=np.int32)
    return Factors(
        branch.constant("rows", asked.T.reshape(-1, 1)),
        branch.constant("weights", (1 << np.arange(n_fields, dtype=np.uint8))[None, :]),
        branch.constant("factors", table.ravel()),
        branch.constant("starts", starts.reshape(*scale.shape, 1)),
        n_leaves,
        n_fields,
    )
