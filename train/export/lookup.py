"""The look-up of Shapley tables (shapley.py) inside the graph, for one applicant and for many. Used by reasons.py.

An applicant's answers to the questions of a tree number an entry of its table; the entries of all trees are fetched,
and what belongs to one field is added up. One applicant and many find the entries in different ways, each several times
faster than the other's; both fetch and add in the same order: the same applicant gets the same contributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.patterns import by_test, number_patterns
from train.export.shapley import Players, Table
from train.export.trees import Split


@dataclass(frozen=True, slots=True)
class Lookup:
    """All tables in one.

    tables: in the order of the trees. owners: int64, shape (width, n_tables), the field of each value of an entry.
    values: name of the constant of shape (width, n_entries), each column an entry.
    """

    tables: list[Table]
    owners: Players
    values: str


def look_up(branch: Branch, encoded: str, tables: list[Table], n_columns: int, n_fields: int) -> None:
    """Contributions of (n, n_fields) from the encoded applicants (n, n_columns), as the result of the branch."""
    # A model that asks nothing gets one question that changes nothing, so that the graph has its shape.
    tables = tables or [Table((Split(0, 0.0, False, 0.0, 0.0),), np.zeros(1, np.int64), np.zeros((2, 1)))]
    width = max(len(table.players) for table in tables)
    entries = [by_test(table.questions, table.values) for table in tables]
    values = np.concatenate([np.pad(own, ((0, 0), (0, width - own.shape[1]))) for own in entries])
    # A padded value is 0, so that it doesn't matter which field it is added to.
    owners = np.stack([np.pad(table.players, (0, width - len(table.players))) for table in tables])
    lookup = Lookup(tables, owners.T, branch.constant("tables", values.T))

    count = branch.add("Shape", [encoded], start=0, end=1)
    is_one = branch.add("Equal", [count, branch.constant("one", np.array([1]))])
    one, many = Branch("one"), Branch("many")
    _look_up_one(one, encoded, lookup, n_columns, n_fields)
    _look_up_many(many, encoded, lookup, n_fields)
    branch.add("If", [is_one], branch.name, then_branch=one.graph(n_fields), else_branch=many.graph(n_fields))


def _look_up_one(branch: Branch, encoded: str, lookup: Lookup, n_columns: int, n_fields: int) -> None:
    column, limit = _tests(lookup.tables, n_columns)
    both = branch.add("Concat", [encoded, branch.add("Neg", [encoded])], axis=1)
    # GatherElements picks single numbers ten times as fast as Gather.
    tested = branch.add("GatherElements", [both, branch.constant("tested", column.reshape(1, -1))], axis=1)
    is_passed = branch.add("LessOrEqual", [tested, branch.constant("limits", limit.reshape(1, -1))])
    passed = branch.add("Cast", [is_passed], to=TensorProto.DOUBLE)
    by_bit = branch.add("Reshape", [passed, branch.constant("by_bit", np.array(column.shape))])
    bits = branch.constant("bits", np.exp2(np.arange(len(column), dtype=np.float64))[None, :])
    starts = np.cumsum([0, *(len(table.values) for table in lookup.tables[:-1])], dtype=np.float64)
    place = branch.add("Gemm", [bits, by_bit, branch.constant("starts", starts[None, :])])
    _add_entries(branch, branch.add("Cast", [place], to=TensorProto.INT32), lookup, n_fields)


def _look_up_many(branch: Branch, encoded: str, lookup: Lookup, n_fields: int) -> None:
    _add_entries(
        branch, number_patterns(branch, encoded, [table.questions for table in lookup.tables]), lookup, n_fields
    )


def _add_entries(branch: Branch, index: str, lookup: Lookup, n_fields: int) -> None:
    """Fetch the entries of an index, (1, n_tables · n) tree by tree, and add up the values of each field."""
    width, n_tables = lookup.owners.shape
    # Singly for each value of an entry, so that applicants stand side by side from here on.
    count = branch.add("Shape", [index], start=1)
    shape = branch.add("Concat", [branch.constant("width", np.array([width])), count], axis=0)
    picked = branch.add("Expand", [index, shape])
    found = branch.add("GatherElements", [lookup.values, picked], axis=1)
    by_value = branch.add("Reshape", [found, branch.constant("by_value", np.array([width, n_tables, -1]))])
    branch.add_up(by_value, lookup.owners, n_fields)


def _tests(tables: list[Table], n_columns: int) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The tests of one applicant as `value <= limit`, shape (bits, n_tables) each.

    The opposite test (patterns.py) is −x <= the number just below −threshold. Columns from n_columns on hold −x. A bit
    that a tree doesn't need has a test that nothing finite passes.
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
