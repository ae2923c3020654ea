"""The branch of the graph that explains: contributions of the fields to the log-odds, Shapley values.

It sits in an `If` behind the optional input `explain`, so that nothing is looked up when nobody asks.

Boosting: an applicant's answers to the questions of a tree number a row of its table (shapley.py), a Gather
fetches the rows of all trees, and what belongs to one field is added up. Tables and time grow with the trees,
whatever the number of fields.
Linear model: coefficient × (x − mean of the reference population), the same definition in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from train.dataset import Matrix
from train.export.linear import Linear
from train.export.shapley import Players, Table, build_tables
from train.export.trees import Split, Trees


def add_reasons(
    graph: GraphProto, encoded: str, model: Linear | Trees, players: Players, n_fields: int, reference: Matrix
) -> None:
    """Add the input explain and the output contributions, float64, (n, n_fields), or (0, n_fields) unless asked.

    `encoded` names the tensor that enters the classifier, (n, n_columns); `reference` is the encoded reference
    population, float64, shape (m, n_columns).
    """
    branch = _Branch()
    if isinstance(model, Linear):
        values, owners = _linear_values(branch, encoded, model, reference), players
    else:
        tables = build_tables(model, players, reference)
        values, owners = _tree_values(branch, encoded, tables, reference.shape[1])
    _add_up(branch, values, owners, n_fields)

    nothing = helper.make_node(
        "Constant", [], ["no_contributions"], value=numpy_helper.from_array(np.zeros((0, n_fields)))
    )
    is_asked = helper.make_tensor_value_info("explain", TensorProto.BOOL, [])
    graph.input.append(is_asked)
    # An input with an initializer is optional: this is its default.
    graph.initializer.append(numpy_helper.from_array(np.array(False), "explain"))
    graph.node.append(
        helper.make_node(
            "If",
            ["explain"],
            ["contributions"],
            name="contributions",
            then_branch=branch.graph("explained", n_fields),
            else_branch=helper.make_graph([nothing], "unexplained", [], [_output("no_contributions", n_fields)]),
        )
    )
    graph.output.append(_output("contributions", n_fields))


def _linear_values(branch: _Branch, encoded: str, model: Linear, reference: Matrix) -> str:
    """coefficient × (x − reference mean) of each column: (n_columns, n)."""
    distance = branch.add("Sub", [encoded, branch.constant("reference_mean", reference.mean(axis=0))])
    values = branch.add("Mul", [distance, branch.constant("coefficients", model.coefficients)])
    return branch.add("Transpose", [values])


def _tree_values(branch: _Branch, encoded: str, tables: list[Table], n_columns: int) -> tuple[str, Players]:
    """The looked-up values of all tables, (n_tables, width, n), and the field of each, (n_tables, width).

    Applicants stand side by side in all of it, so that a batch is copied, compared and added in whole rows.
    """
    # A model that asks nothing gets one question that changes nothing, so that the graph has its shape.
    tables = tables or [Table((Split(0, 0.0, False, 0.0, 0.0),), np.zeros(1, np.int64), np.zeros((2, 1)))]
    width = max(len(table.players) for table in tables)
    rows = np.concatenate([np.pad(_by_test(table), ((0, 0), (0, width - len(table.players)))) for table in tables])
    # A padded value is 0, so that it doesn't matter which field it is added to.
    owners = np.stack([np.pad(table.players, (0, width - len(table.players))) for table in tables])
    first_rows = np.cumsum([0, *(len(table.values) for table in tables[:-1])], dtype=np.float64)
    column, limit = _tests(tables, n_columns)
    bits = len(column)

    x = branch.add("Transpose", [encoded])
    both = branch.add("Concat", [x, branch.add("Neg", [x])], axis=0)
    tested = branch.add("Gather", [both, branch.constant("tested", column.ravel())], axis=0)
    is_passed = branch.add("LessOrEqual", [tested, branch.constant("limits", limit.reshape(-1, 1))])
    passed = branch.add("Cast", [is_passed], to=TensorProto.DOUBLE)
    by_bit = branch.add("Reshape", [passed, branch.constant("by_bit", np.array([bits, -1]))])
    pattern = branch.add("MatMul", [branch.constant("bits", 2.0 ** np.arange(bits)[None, :]), by_bit])
    by_tree = branch.add("Reshape", [pattern, branch.constant("by_tree", np.array([len(tables), -1]))])
    place = branch.add("Add", [by_tree, branch.constant("first_rows", first_rows[:, None])])
    index = branch.add("Cast", [place], to=TensorProto.INT64)
    found = branch.add("Gather", [branch.constant("shapley_tables", rows), index], axis=0)
    return branch.add("Transpose", [found], perm=[0, 2, 1]), owners


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


def _add_up(branch: _Branch, values: str, owners: Players, n_fields: int) -> None:
    """Add up the values of each field: (*owners.shape, n) → contributions of (n, n_fields)."""
    count = branch.add("Shape", [values], start=-1)
    shape = branch.add("Concat", [branch.constant("fields", np.array([n_fields])), count], axis=0)
    zeros = branch.add("ConstantOfShape", [shape], value=numpy_helper.from_array(np.zeros(1)))
    owner = branch.constant("owners", owners[..., None])
    total = branch.add("ScatterND", [zeros, owner, values], reduction="add")
    branch.add("Transpose", [total], "explained")


def _output(name: str, n_fields: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, n_fields])


class _Branch:
    """The nodes and constants of a subgraph; tensors are named after what made them."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """An initializer; its name, which no tensor of the outer graph has."""
        unique = f"reason_{name}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), unique))
        return unique

    def add(self, op_type: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """A node; the name of its result."""
        name = output or f"reason_{len(self.nodes)}_{op_type.lower()}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def graph(self, output: str, n_fields: int) -> GraphProto:
        """The finished subgraph."""
        return helper.make_graph(self.nodes, "explain", [], [_output(output, n_fields)], initializer=self.constants)
