"""The look-up of Shapley tables (shapley.py) inside the graph, for one applicant and for many. Used by reasons.py.

An applicant's answers to the questions of a tree number a row of its table; the rows of all trees are fetched, and what
belongs to one field is added up. One applicant and many are laid out differently, each several times faster than
in the other's layout: the elements of one row are picked singly, while many stand side by side, so that a batch is
copied, compared and added in whole rows. Both add in the same order: the same applicant gets the same contributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.shapley import Players, Table
from train.export.trees import Split


@dataclass(frozen=True, slots=True)
class Lookup:
    """All tables in one, the trees' tests, and what of it the graph holds as constants.

    column: int64, shape (bits, n_tables), of x or, from n_columns on, of −x. limit: float64, the same shape.
    first_rows: float64, shape (n_tables,), where each table begins. owners: int64, shape (n_tables, width).
    tables: name of the constant of shape (rows, width).
    """

    column: npt.NDArray[np.int64]
    limit: Matrix
    first_rows: Matrix
    owners: Players
    tables: str


def look_up(branch: Branch, encoded: str, tables: list[Table], n_columns: int, n_fields: int) -> None:
    """Contributions of (n, n_fields) from the encoded applicants (n, n_columns), as the result of the branch."""
    # A model that asks nothing gets one question that changes nothing, so that the graph has its shape.
    tables = tables or [Table((Split(0, 0.0, False, 0.0, 0.0),), np.zeros(1, np.int64), np.zeros((2, 1)))]
    width = max(len(table.players) for table in tables)
    rows = np.concatenate([np.pad(_by_test(table), ((0, 0), (0, width - len(table.players)))) for table in tables])
    # A padded value is 0, so that it doesn't matter which field it is added to.
    owners = np.stack([np.pad(table.players, (0, width - len(table.players))) for table in tables])
    first_rows = np.cumsum([0, *(len(table.values) for table in tables[:-1])], dtype=np.float64)
    lookup = Lookup(*_tests(tables, n_columns), first_rows, owners, branch.constant("tables", rows))

    count = branch.add("Shape", [encoded], start=0, end=1)
    is_one = branch.add("Equal", [count, branch.constant("one", np.array([1]))])
    one, many = Branch("one"), Branch("many")
    _look_up_one(one, encoded, lookup, n_fields)
    _look_up_many(many, encoded, lookup, n_fields)
    branch.add("If", [is_one], branch.name, then_branch=one.graph(n_fields), else_branch=many.graph(n_fields))


def _look_up_one(branch: Branch, encoded: str, lookup: Lookup, n_fields: int) -> None:
    both = branch.add("Concat", [encoded, branch.add("Neg", [encoded])], axis=1)
    # GatherElements picks single numbers ten times as fast as Gather.
    tested = branch.add("GatherElements", [both, branch.constant("tested", lookup.column.reshape(1, -1))], axis=1)
    is_passed = branch.add("LessOrEqual", [tested, branch.constant("limits", lookup.limit.reshape(1, -1))])
    passed = branch.add("Cast", [is_passed], to=TensorProto.DOUBLE)
    by_bit = branch.add("Reshape", [passed, branch.constant("by_bit", np.array(lookup.column.shape))])
    first_rows = branch.constant("first_rows", lookup.first_rows[None, :])
    place = branch.add("Gemm", [branch.constant("bits", _bits(lookup)), by_bit, first_rows])
    index = branch.add("Cast", [place], to=TensorProto.INT64)
    found = branch.add("Gather", [lookup.tables, index], axis=0)
    values = branch.add("Reshape", [found, branch.constant("row", np.array([1, -1]))])
    owners = branch.constant("owners", lookup.owners.reshape(1, -1))
    zeros = branch.constant("zeros", np.zeros((1, n_fields)))
    branch.add("ScatterElements", [zeros, owners, values], branch.name, axis=1, reduction="add")


def _look_up_many(branch: Branch, encoded: str, lookup: Lookup, n_fields: int) -> None:
    bits, n_tables = lookup.column.shape
    x = branch.add("Transpose", [encoded])
    both = branch.add("Concat", [x, branch.add("Neg", [x])], axis=0)
    tested = branch.add("Gather", [both, branch.constant("tested", lookup.column.ravel())], axis=0)
    is_passed = branch.add("LessOrEqual", [tested, branch.constant("limits", lookup.limit.reshape(-1, 1))])
    passed = branch.add("Cast", [is_passed], to=TensorProto.DOUBLE)
    by_bit = branch.add("Reshape", [passed, branch.constant("by_bit", np.array([bits, -1]))])
    pattern = branch.add("MatMul", [branch.constant("bits", _bits(lookup)), by_bit])
    by_tree = branch.add("Reshape", [pattern, branch.constant("by_tree", np.array([n_tables, -1]))])
    place = branch.add("Add", [by_tree, branch.constant("first_rows", lookup.first_rows[:, None])])
    index = branch.add("Cast", [place], to=TensorProto.INT64)
    found = branch.add("Gather", [lookup.tables, index], axis=0)
    branch.add_up(branch.add("Transpose", [found], perm=[0, 2, 1]), lookup.owners, n_fields)


def _bits(lookup: Lookup) -> Matrix:
    """What each passed test adds to the number of a pattern: shape (1, bits)."""
    return np.exp2(np.arange(len(lookup.column), dtype=np.float64))[None, :]


def _tests(tables: list[Table], n_columns: int) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The questions as tests `value <= limit` that a missing value never passes, shape (bits, n_tables) each.

    A question that a missing value answers with yes is turned round: no is −x <= the number just below −threshold.
    Columns from n_columns on hold −x. A bit that a tree doesn't need has a test that nothing finite passes.
    """
    bits = max(len(table.questions) for table in tables)
    column, limit = np.zeros((bits, len(tables)), np.int64), np.full((bits, len(tables)), -np.inf)
    for tree, table in enumerate(tables):
        for bit, question in enumerate(table.questions):
            column[bit, tree] = question.column + n_columns * question.missing_true
            limit[bit, tree] = (
                np.nextafter(-question.threshold, -np.inf) if question.missing_true else question.threshold
            )
    return column, limit


def _by_test(table: Table) -> Matrix:
    """The values of a table by the pattern of passed tests: a test that was turned round flips its bit."""
    turned = sum(question.missing_true << bit for bit, question in enumerate(table.questions))
    values: Matrix = table.values[np.arange(len(table.values)) ^ turned]
    return values
