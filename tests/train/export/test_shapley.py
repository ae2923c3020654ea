"""Shapley tables against the definition itself."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from tests.train.export.random_trees import COLUMNS, cells, nodes
from tests.train.readers.trees_of import trees_of
from train.dataset import Matrix
from train.export.shapley import FieldNumbers, build_tables
from train.export.trees import Node, Trees

TOLERANCE = 1e-12


def look_up(trees: Trees, field_of_column: FieldNumbers, reference: Matrix, rows: Matrix, n_fields: int) -> Matrix:
    """Contributions of rows, shape (m, n_fields), from the tables, in plain numpy."""
    total = np.zeros((len(rows), n_fields))
    for table in build_tables(trees, field_of_column, reference):
        pattern = sum(split.is_true(rows).astype(int) << bit for bit, split in enumerate(table.splits))
        total[:, table.fields] += table.values[pattern]
    return total


def enumerate_coalitions(
    trees: Trees, field_of_column: FieldNumbers, reference: Matrix, row: Matrix, n_fields: int
) -> Matrix:
    """Shapley values of one row by the definition: every coalition, every reference applicant; shape (n_fields,)."""

    def value(coalition: tuple[int, ...]) -> float:
        mixed = np.where(np.isin(field_of_column, coalition), row, reference)
        return float(trees.log_odds(mixed).mean())

    values = np.zeros(n_fields)
    for player in range(n_fields):
        others = [other for other in range(n_fields) if other != player]
        for size in range(n_fields):
            weight = factorial(size) * factorial(n_fields - size - 1) / factorial(n_fields)
            for coalition in combinations(others, size):
                values[player] += weight * (value((*coalition, player)) - value(coalition))
    return values


@settings(max_examples=60, deadline=None)
@given(
    trees=st.lists(st.integers(1, 8).flatmap(nodes), min_size=1, max_size=3),
    grouped=st.booleans(),
    reference=st.lists(st.lists(cells, min_size=COLUMNS, max_size=COLUMNS), min_size=1, max_size=5),
    row=st.lists(cells, min_size=COLUMNS, max_size=COLUMNS),
)
def test_tables_hold_the_shapley_values_of_any_trees(
    trees: list[Node], grouped: bool, reference: list[list[float]], row: list[float]
) -> None:
    """Random trees of up to 8 leaves, with missing values, columns of their own or two columns to a field."""
    field_of_column = np.array([0, 1, 1, 2] if grouped else [0, 1, 2, 3])
    n_fields = 3 if grouped else 4
    ensemble, population, applicant = Trees(0.5, tuple(trees)), np.array(reference), np.array(row)

    expected = enumerate_coalitions(ensemble, field_of_column, population, applicant, n_fields)

    actual = look_up(ensemble, field_of_column, population, applicant[None, :], n_fields)[0]
    np.testing.assert_allclose(expected, actual, rtol=0, atol=TOLERANCE)
    assert ensemble.log_odds(population).mean() + actual.sum() == (
        pytest.approx(float(ensemble.log_odds(applicant[None, :])[0]), abs=TOLERANCE)
    )


def test_the_reference_population_itself_has_contributions_that_cancel() -> None:
    """Averaged over the population that is compared with, no field contributes anything."""
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 5))
    X[random.random(X.shape) < 0.2] = np.nan
    classifier = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=0)
    classifier.fit(X, np.nan_to_num(X).sum(axis=1) > 0)

    contributions = look_up(trees_of(classifier), np.arange(5), X, X, 5)

    np.testing.assert_allclose(np.zeros(5), contributions.mean(axis=0), atol=TOLERANCE)
