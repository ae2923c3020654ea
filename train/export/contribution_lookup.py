"""The look-up of Shapley tables (shapley.py) inside the graph. Used by reasons.py.

The outcomes of a tree's splits are the index of an entry of its table; the entries of all trees are
fetched and summed by field. A single applicant and a batch compute the index in different ways, each several times
faster than the other would be; both fetch and sum in the same order, so that the contributions are bit-identical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.patterns import index_patterns, order_by_comparison
from train.export.shapley import FieldNumbers, Table
from train.export.trees import Split


@dataclass(frozen=True, slots=True)
class Lookup:
    """The tables of all trees, concatenated.

    tables: in the order of the trees. owners: int64, shape (width, n_tables), the field of each value of an entry.
    values: name of the constant of shape (width, n_entries), one column for each entry.
    """

    tables: list[Table]
    owners: FieldNumbers
    values: str


def look_up_contributions(branch: Branch, encoded: str, tables: list[Table], n_columns: int, n_fields: int) -> None:
    """Make the branch's result the contributions, (n, n_fields), of the encoded applicants, (n, n_columns)."""
    # A model without splits gets one table of zeros, so that the graph has the same structure.
    tables = tables or [Table((Split(0, 0.0, False, 0.0, 0.0),), np.zeros(1, np.int64), np.zeros((2, 1)))]
    width = max(len(table.fields) for table in tables)
    entries = [order_by_comparison(table.splits, table.values) for table in tables]
    values = np.concatenate([np.pad(own, ((0, 0), (0, width - own.shape[1]))) for own in entries])
    # Padding values are 0, so the field that they are added to is irrelevant.
    owners = np.stack([np.pad(table.fields, (0, width - len(table.fields))) for table in tables])
    lookup = Lookup(tables, owners.T, branch.constant("tables", values.T))

    count = branch.add("Shape", [encoded], start=0, end=1)
    is_one = branch.add("Equal", [count, branch.constant("one", np.array([1]))])
    single, batch = Branch("one"), Branch("many")
    _look_up_single(single, encoded, lookup, n_columns, n_fields)
    _look_up_batch(batch, encoded, lookup, n_fields)
    branch.add("If", [is_one], branch.name, then_branch=single.graph(n_fields), else_branch=batch.graph(n_fields))


def _look_up_single(branch: Branch, encoded: str, lookup: Lookup, n_columns: int, n_fields: int) -> None:
    column, limit = _comparisons(lookup.tables, n_columns)
    both = branch.add("Concat", [encoded, branch.add("Neg", [encoded])], axis=1)
    # For single numbers GatherElements is ten times as fast as Gather.
    compared = branch.add("GatherElements", [both, branch.constant("tested", column.reshape(1, -1))], axis=1)
    is_true = branch.add("LessOrEqual", [compared, branch.constant("limits", limit.reshape(1, -1))])
    outcomes = branch.add("Cast", [is_true], to=TensorProto.DOUBLE)
    by_bit = branch.add("Reshape", [outcomes, branch.constant("by_bit", np.array(column.shape))])
    bits = branch.constant("bits", np.exp2(np.arange(len(column), dtype=np.float64))[None, :])
    starts = np.cumsum([0, *(len(table.values) for table in lookup.tables[:-1])], dtype=np.float64)
    place = branch.add("Gemm", [bits, by_bit, branch.constant("starts", starts[None, :])])
    _add_entries(branch, branch.add("Cast", [place], to=TensorProto.INT32), lookup, n_fields)


def _look_up_batch(branch: Branch, encoded: str, lookup: Lookup, n_fields: int) -> None:
    _add_entries(branch, index_patterns(branch, encoded, [table.splits for table in lookup.tables]), lookup, n_fields)


def _add_entries(branch: Branch, index: str, lookup: Lookup, n_fields: int) -> None:
    """Fetch the entries at an index, (1, n_tables · n), tree by tree, and sum the values of each field."""
    width, n_tables = lookup.owners.shape
    # One row for each value of an entry, so that applicants are along the last axis.
    count = branch.add("Shape", [index], start=1)
    shape = branch.add("Concat", [branch.constant("width", np.array([width])), count], axis=0)
    picked = branch.add("Expand", [index, shape])
    found = branch.add("GatherElements", [lookup.values, picked], axis=1)
    by_value = branch.add("Reshape", [found, branch.constant("by_value", np.array([width, n_tables, -1]))])
    branch.add_up(by_value, lookup.owners, n_fields)


def _comparisons(tables: list[Table], n_columns: int) -> tuple[npt.NDArray[np.int64], Matrix]:
    """Column and limit of the comparisons of one applicant, `value <= limit`, shape (bits, n_tables) each.

    The inverted comparison (patterns.py) is −x <= the number just below −threshold; columns from n_columns on contain
    −x. The comparison of an unused bit is false for every finite number.
    """
    bits = max(len(table.splits) for table in tables)
    column, limit = np.zeros((bits, len(tables)), np.int64), np.full((bits, len(tables)), -np.inf)
    for tree, table in enumerate(tables):
        for bit, split in enumerate(table.splits):
            column[bit, tree] = split.column + n_columns * split.missing_goes_true
            limit[bit, tree] = np.nextafter(-split.threshold, -np.inf) if split.missing_goes_true else split.threshold
    return column, limit
