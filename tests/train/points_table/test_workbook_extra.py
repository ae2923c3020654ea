"""scorecard.xlsx recalculated by LibreOffice: the points of every applicant are those of the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from model.policy import DECISIONS
from tests.tools import require
from tests.train.points_table.engines import read_batch, recalculate
from tests.train.points_table.scorecards import REQUIRED, SCORECARD, draw_applicants, make_table, round_digits
from train.card import Card
from train.dataset import Dataset, Matrix
from train.points_table.bins import ContractScorecard
from train.points_table.workbook import render_workbook

ROWS = 1_000


def check(office: str, table: ContractScorecard, X: Matrix, folder: Path) -> None:
    """Points of fields and pairs, total, probability and decision of every row."""
    found = read_batch(recalculate(office, render_workbook(table, X), folder), len(table.fields))

    parts, total = table.read_points(X), table.total_points(X)
    probability = table.probability(total)
    assert np.array_equal(found.iloc[:, : parts.shape[1]].to_numpy(), parts)
    assert np.array_equal(found["Points"], total)
    np.testing.assert_allclose(found["Probability of default"], probability, rtol=1e-12)
    decision = table.contract.policy.decide(probability, X)
    assert found["Decision"].tolist() == [DECISIONS[index] for index in decision]


@pytest.fixture(scope="module")
def office() -> str:
    """LibreOffice's program."""
    return require("soffice")


def test_rows_of_credit_data_have_their_points(
    office: str, table: ContractScorecard, credit_data: tuple[Card, Dataset], tmp_path: Path
) -> None:
    """As in scorecard.sql and in the graph; all rows in `make bench-scorecard`."""
    check(office, table, credit_data[1].X[:ROWS], tmp_path)


def test_odd_names_and_numbers_have_the_right_points(office: str, tmp_path: Path) -> None:
    """Levels that differ in case or have signs of patterns, texts that look like numbers, edges of bins."""
    tiny = SCORECARD.fields[4]
    # Edges, as numbers, of at most 14 digits.
    edges = (1e-300, 0.1, 0.3, 1e99)
    table = make_table(
        scorecard=structs.replace(SCORECARD, fields=(*SCORECARD.fields[:4], structs.replace(tiny, edges=edges)))
    )
    X = round_digits(draw_applicants(table, ROWS, 4))
    # Rows without any value are empty ones.
    X[:, 0] = np.where(np.isnan(X[:, :5]).all(axis=1), 600.0, X[:, 0])

    check(office, table, X, tmp_path)


def test_an_empty_cell_that_has_no_answer_has_no_total(office: str, tmp_path: Path) -> None:
    """As in the service; numbers that stand for a missing value have their points."""
    edges = (1e-300, 0.1, 0.3, 1e99)
    tiny = structs.replace(SCORECARD.fields[4], edges=edges)
    table = make_table(scorecard=structs.replace(SCORECARD, fields=(*SCORECARD.fields[:4], tiny)), fields=REQUIRED)
    X = round_digits(draw_applicants(make_table(), 300, 5))
    X[:, 0] = np.where(np.isnan(X[:, :5]).all(axis=1), 600.0, X[:, 0])
    X[::3, 1] = -9.0
    has_answer = [not np.isnan(row).any() for row in X[:, :5]]

    found = read_batch(recalculate(office, render_workbook(table, X), tmp_path), len(table.fields))

    expected = table.total_points(X).tolist()
    assert found["Points"].tolist() == [
        points if known else "check the values" for points, known in zip(expected, has_answer, strict=True)
    ]
