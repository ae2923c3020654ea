"""The branch of the graph that explains: contributions of the fields to the log-odds, Shapley values.

It sits in an `If` behind the optional input `explain`, so that it costs nothing when nobody asks.

Boosting: small trees of a TreeEnsemble turn an applicant's answers to the questions of a tree into the
row of its table (shapley.py), a Gather fetches the rows of all trees, and what belongs to one field is
added up. Tables and time grow with the trees, whatever the number of fields.
Linear model: coefficient × (x − mean of the reference population), the same definition in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from train.dataset import Matrix
from train.export.converter import TREES_DOMAIN
from train.export.linear import Linear
from train.export.shapley import Players, Table, build_tables
from train.export.trees import Node, Split, Trees, ensemble_attributes

LARGEST_MATRIX = 100_000
"""Values are added up per field by a product with a 0/1 matrix if it has no more cells than this: fastest for
few fields, hopeless for many, where they are scattered."""


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
        values, owners = _tree_values(branch, encoded, tables)
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
    """coefficient × (x − reference mean) of each column: (n, n_columns)."""
    distance = branch.add("Sub", [encoded, branch.constant("reference_mean", reference.mean(axis=0))])
    return branch.add("Mul", [distance, branch.constant("reason_coefficients", model.coefficients)])


def _tree_values(branch: _Branch, encoded: str, tables: list[Table]) -> tuple[str, Players]:
    """The looked-up values of all tables side by side, (n, n_tables · width), and the field of each column."""
    # A model that asks nothing gets one question that changes nothing, so that the graph has its shape.
    tables = tables or [Table((Split(0, 0.0, False, 0.0, 0.0),), np.zeros(1, np.int64), np.zeros((2, 1)))]
    width = max(len(table.players) for table in tables)
    rows = np.concatenate([np.pad(table.values, ((0, 0), (0, width - len(table.players)))) for table in tables])
    # A padded value is 0, so that it doesn't matter which field it is added to.
    owners = np.concatenate([np.pad(table.players, (0, width - len(table.players))) for table in tables])
    first_rows = np.cumsum([0, *(len(table.values) for table in tables[:-1])])

    lookups: list[Node] = []
    targets: list[int] = []
    for number, (table, first_row) in enumerate(zip(tables, first_rows, strict=True)):
        half = (len(table.questions) + 1) // 2
        # Two trees of half the depth: far fewer nodes than one of the whole, and the sum of whole numbers is exact.
        for questions, low_bit, offset in ((table.questions[:half], 0, first_row), (table.questions[half:], half, 0)):
            if questions:
                lookups.append(_number_answers(questions, 2**low_bit, float(offset)))
                targets.append(number)
    place = branch.add(
        "TreeEnsemble", [encoded], domain=TREES_DOMAIN, **ensemble_attributes(lookups, targets, len(tables))
    )
    index = branch.add("Cast", [place], to=TensorProto.INT64)
    found = branch.add("Gather", [branch.constant("shapley_tables", rows), index], axis=0)
    return branch.add("Reshape", [found, branch.constant("flat_values", np.array([-1, len(owners)]))]), owners


def _number_answers(questions: tuple[Split, ...], bit: int, number: float) -> Node:
    """A tree that asks all questions in turn; its leaves hold `number` plus `bit`, 2·bit, … for each true answer."""
    if not questions:
        return number
    first, rest = questions[0], questions[1:]
    true = _number_answers(rest, bit * 2, number + bit)
    false = _number_answers(rest, bit * 2, number)
    return Split(first.column, first.threshold, first.missing_true, true, false)


def _add_up(branch: _Branch, values: str, owners: Players, n_fields: int) -> None:
    """Add up the columns of each field: (n, n_columns) → contributions of (n, n_fields)."""
    if np.array_equal(owners, np.arange(n_fields)):
        branch.add("Identity", [values], "explained")
    elif len(owners) * n_fields <= LARGEST_MATRIX:
        # Made when the session starts (constant folding), so that the file holds the owners alone.
        fields = branch.constant("fields", np.arange(n_fields))
        is_owner = branch.add("Equal", [branch.constant("owners", owners[:, None]), fields])
        matrix = branch.add("Cast", [is_owner], to=TensorProto.DOUBLE)
        branch.add("MatMul", [values, matrix], "explained")
    else:
        shape = branch.add("Shape", [values])
        rows = branch.add("Shape", [values], end=1)
        index = branch.add("Expand", [branch.constant("owners", owners[None, :]), shape])
        empty = branch.add("Concat", [rows, branch.constant("fields", np.array([n_fields]))], axis=0)
        zeros = branch.add("ConstantOfShape", [empty], value=numpy_helper.from_array(np.zeros(1)))
        branch.add("ScatterElements", [zeros, index, values], "explained", axis=1, reduction="add")


def _output(name: str, n_fields: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, n_fields])


class _Branch:
    """The nodes and constants of a subgraph; tensors are named after what made them."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """An initializer; its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op_type: str, inputs: list[str], output: str = "", domain: str = "", **attributes: Any) -> str:
        """A node; the name of its result."""
        name = output or f"reason_{len(self.nodes)}_{op_type.lower()}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def graph(self, output: str, n_fields: int) -> GraphProto:
        """The finished subgraph."""
        return helper.make_graph(self.nodes, "explain", [], [_output(output, n_fields)], initializer=self.constants)
