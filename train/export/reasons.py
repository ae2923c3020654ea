"""The output contributions: Shapley values of the log-odds by field.

They are computed in an `If` only if the optional input `explain` is true.

Boosting: table look-up for each tree, summed by field (contribution_lookup.py). Size and time grow with the number
of trees, not with the number of fields.
Linear model: coefficient × (x − mean of the reference population), the closed form of the same definition.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, TensorProto, helper, numpy_helper

from train.dataset import Matrix
from train.export.branch import Branch, matrix_info
from train.export.contribution_lookup import look_up_contributions
from train.export.linear import Linear
from train.export.shapley import FieldNumbers, build_tables
from train.export.trees import Trees


def add_reasons(
    graph: GraphProto,
    encoded: str,
    model: Linear | Trees,
    field_of_column: FieldNumbers,
    n_fields: int,
    reference: Matrix,
) -> None:
    """Add the input explain and the output contributions: float64, (n, n_fields), or (0, n_fields) if explain is false.

    `encoded` names the tensor that enters the classifier, (n, n_columns); `reference` is the encoded reference
    population, float64, shape (m, n_columns).
    """
    explained = Branch("explained")
    if isinstance(model, Linear):
        explain_linear(explained, encoded, model, field_of_column, n_fields, reference)
    else:
        look_up_contributions(
            explained, encoded, build_tables(model, field_of_column, reference), reference.shape[1], n_fields
        )

    unexplained = Branch("unexplained")
    unexplained.add("Constant", [], "unexplained", value=numpy_helper.from_array(np.zeros((0, n_fields))))
    explain = helper.make_tensor_value_info("explain", TensorProto.BOOL, [])
    graph.input.append(explain)
    # An input with an initializer is optional, with the initializer as default.
    graph.initializer.append(numpy_helper.from_array(np.array(False), "explain"))
    graph.node.append(
        helper.make_node(
            "If",
            ["explain"],
            ["contributions"],
            name="contributions",
            then_branch=explained.graph(n_fields),
            else_branch=unexplained.graph(n_fields),
        )
    )
    graph.output.append(matrix_info("contributions", n_fields))


def explain_linear(
    branch: Branch, encoded: str, model: Linear, field_of_column: FieldNumbers, n_fields: int, reference: Matrix
) -> None:
    """coefficient × (x − reference mean) of each column, summed by field."""
    distance = branch.add("Sub", [encoded, branch.constant("reference_mean", reference.mean(axis=0))])
    values = branch.add("Mul", [distance, branch.constant("coefficients", model.coefficients)])
    branch.add_up(branch.add("Transpose", [values]), field_of_column, n_fields)
