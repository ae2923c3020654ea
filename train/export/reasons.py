"""The output contributions: Shapley values of the model's value by field.

They are computed in an `If` only if the optional input `explain` is true.

Small trees: table look-up for each tree, summed by field (contribution_lookup.py). Size and time grow with the number
of trees, not with the number of fields.
Trees of which any has more than 7 distinct splits: path-dependent values (path_shapley.py).
Linear model: coefficient × (x − mean of the reference population), the closed form of the same definition; of products
of columns: quadratic.py.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, helper, numpy_helper

from model.contract import Definition
from train.dataset import Matrix
from train.export.branch import Branch, matrix_info
from train.export.contribution_lookup import look_up_contributions
from train.export.path_shapley import integrate_paths
from train.export.quadratic import explain_products
from train.export.shapley import FieldNumbers, build_tables
from train.export.trees import Trees
from train.fitted.linear import Linear
from train.fitted.mixing import Products


def add_reasons(
    graph: GraphProto,
    encoded: str,
    model: Linear | Trees,
    definition: Definition,
    field_of_column: FieldNumbers,
    n_fields: int,
    reference: Matrix | None,
    products: Products | None = None,
) -> None:
    """Add the output contributions, float64, (n, n_fields), or (0, n_fields) if the input explain is false.

    `encoded` names the tensor that enters the classifier, (n, n_columns); `reference` is the encoded reference
    population, float64, shape (m, n_columns), which path-dependent contributions don't need. Raises ValueError if
    it is needed and None, or if path-dependent contributions need shares of training rows that are unknown.
    With `products` of columns, which a linear model takes, tensor, fields and reference are those of the factors.
    """
    explained = Branch("explained")
    if isinstance(model, Trees) and definition == "path-dependent":
        integrate_paths(explained, encoded, model, field_of_column, n_fields)
    elif isinstance(model, Linear) and products and reference is not None:
        explain_products(explained, encoded, model, products, field_of_column, n_fields, reference)
    elif isinstance(model, Linear) and not products and model.center is not None:
        explain_linear(explained, encoded, model, field_of_column, n_fields, model.center)
    elif isinstance(model, Linear) and not products and reference is not None:
        explain_linear(explained, encoded, model, field_of_column, n_fields, reference.mean(axis=0))
    elif reference is None or isinstance(model, Linear):
        raise ValueError("the reasons of this model are relative to a reference population: pass a table of applicants")
    else:
        look_up_contributions(
            explained, encoded, build_tables(model, field_of_column, reference), reference.shape[1], n_fields
        )

    unexplained = Branch("unexplained")
    unexplained.add("Constant", [], "unexplained", value=numpy_helper.from_array(np.zeros((0, n_fields))))
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
    branch: Branch, encoded: str, model: Linear, field_of_column: FieldNumbers, n_fields: int, mean: Matrix
) -> None:
    """coefficient × (x − mean) of each column, summed by field; the mean of the training rows or of the reference."""
    distance = branch.add("Sub", [encoded, branch.constant("reference_mean", mean)])
    values = branch.add("Mul", [distance, branch.constant("coefficients", model.coefficients)])
    branch.add_up(branch.add("Transpose", [values]), field_of_column, n_fields)
