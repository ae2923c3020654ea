"""Path-dependent Shapley values of the graph against the definition itself."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from model.session import make_session
from tests.train.export.random_trees import COLUMNS, cells, nodes
from train.dataset import Matrix
from train.export import path_shapley
from train.export.branch import Branch, matrix_info
from train.export.opsets import IR_VERSION, OPSET
from train.export.path_shapley import integrate_paths
from train.export.paths import expected_value
from train.export.shapley import FieldNumbers
from train.export.trees import Node, Split, Trees

TOLERANCE = 1e-12

applicants = st.lists(st.lists(cells, min_size=COLUMNS, max_size=COLUMNS), min_size=2, max_size=4)
sizes = st.integers(1, 40)


def integrate(trees: Trees, field_of_column: FieldNumbers, n_fields: int) -> onnxruntime.InferenceSession:
    """A session of a graph of contributions only: x (n, n_columns) → (n, n_fields)."""
    branch = Branch("contributions")
    integrate_paths(branch, "x", trees, field_of_column, n_fields)
    ends = matrix_info("x", len(field_of_column)), matrix_info("contributions", n_fields)
    graph = helper.make_graph(branch.nodes, "contributions", [ends[0]], [ends[1]], initializer=branch.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return make_session(model.SerializeToString())


def follow(node: Node, row: Matrix, is_known: list[bool]) -> float:
    """The value of a tree, both ways taken at the splits of unknown columns."""
    if not isinstance(node, Split):
        return node
    true, false = (follow(child, row, is_known) for child in (node.if_true, node.if_false))
    if is_known[node.column]:
        return true if node.is_true(row[None])[0] else false
    return node.true_share * true + (1 - node.true_share) * false


def enumerate_coalitions(trees: Trees, field_of_column: FieldNumbers, row: Matrix, n_fields: int) -> Matrix:
    """Shapley values of one row by the definition: every coalition; shape (n_fields,)."""

    def value(coalition: tuple[int, ...]) -> float:
        is_known = np.isin(field_of_column, coalition).tolist()
        return sum(follow(tree, row, is_known) for tree in trees.trees) / trees.divisor

    values = np.zeros(n_fields)
    for player in range(n_fields):
        others = [other for other in range(n_fields) if other != player]
        for size in range(n_fields):
            weight = factorial(size) * factorial(n_fields - size - 1) / factorial(n_fields)
            for coalition in combinations(others, size):
                values[player] += weight * (value((*coalition, player)) - value(coalition))
    return values


@pytest.mark.parametrize("max_values", [path_shapley.MAX_VALUES, 60, 0])
@settings(max_examples=15, deadline=None)
@given(trees=st.lists(sizes.flatmap(nodes), min_size=1, max_size=3), grouped=st.booleans(), rows=applicants)
def test_any_trees_have_the_shapley_values_of_the_definition(
    max_values: int, trees: list[Node], grouped: bool, rows: list[list[float]]
) -> None:
    """Whether leaves are looked up, integrated, or some of both; alone and in a batch to the bit."""
    field_of_column = np.array([0, 1, 1, 2] if grouped else [0, 1, 2, 3])
    n_fields = 3 if grouped else 4
    ensemble, X = Trees(0.5, tuple(trees), 2.0), np.array(rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_shapley, "MAX_VALUES", max_values)
        session = integrate(ensemble, field_of_column, n_fields)
    (actual,) = session.run(None, {"x": X})

    expected = np.array([enumerate_coalitions(ensemble, field_of_column, row, n_fields) for row in X])
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(np.concatenate([session.run(None, {"x": row[None]})[0] for row in X]), actual)
    np.testing.assert_allclose(
        expected_value(ensemble) + actual.sum(axis=1), ensemble.log_odds(X), rtol=0, atol=TOLERANCE
    )


def test_a_chain_of_200_splits_has_contributions() -> None:
    """Deeper than any table, on 40 fields, which need 20 points of the quadrature."""
    random = np.random.default_rng(0)
    tree: Node = 0.5
    for number in range(200):
        tree = Split(number % 40, float(random.normal() - 2), False, float(random.normal()), tree, 0.01)
    trees, X = Trees(0.25, (tree,)), random.normal(size=(5, 40))

    (contributions,) = integrate(trees, np.arange(40), 40).run(None, {"x": X})

    actual = expected_value(trees) + contributions.sum(axis=1)
    np.testing.assert_allclose(actual, trees.log_odds(X), rtol=0, atol=TOLERANCE)


def test_unknown_shares_of_training_rows_are_refused() -> None:
    """For the contributions and for what they add up from."""
    trees = Trees(0.0, (Split(0, 1.0, False, 1.0, 2.0),))

    with pytest.raises(ValueError, match="doesn't tell how many training rows took each side"):
        integrate_paths(Branch("contributions"), "x", trees, np.arange(1), 1)
    with pytest.raises(ValueError, match="doesn't tell how many training rows took each side"):
        expected_value(trees)
