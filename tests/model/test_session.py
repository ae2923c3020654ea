"""The ONNX session gives the answers of the scikit-learn pipeline, for single applicants and for batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from model.contract import MAX_MAGNITUDE
from model.loading import load_model
from model.session import Matrix, Model, RowSession
from train.export import MAX_ROWS

ROUNDING = 1e-12
"""Sums of a few float64 products in another order differ by less."""


def test_probabilities_are_those_of_the_pipeline(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """Also for rows with missing values."""
    expected = pipeline.predict_proba(applicants)[:, 1]

    np.testing.assert_allclose(model.score(applicants).probability, expected, rtol=0, atol=ROUNDING)


def test_decisions_are_those_of_the_policy(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """All three decisions occur."""
    expected = model.contract.policy.decide(pipeline.predict_proba(applicants)[:, 1], applicants)

    assert set(expected.tolist()) == {0, 1, 2}
    assert model.score(applicants).decision.tolist() == expected.tolist()


def test_scores_have_the_documented_types_and_shapes(model: Model, applicants: Matrix) -> None:
    """Without `explain` there are no contributions."""
    scores = model.score(applicants)

    assert (scores.probability.shape, scores.probability.dtype.name) == ((64,), "float64")
    assert (scores.decision.shape, scores.decision.dtype.name) == ((64,), "int64")
    assert (scores.contributions.shape, scores.contributions.dtype.name) == ((0, 5), "float64")


def test_explain_adds_contributions(model: Model, applicants: Matrix) -> None:
    """Shape (n, n_fields); probability and decision stay the same."""
    plain, explained = model.score(applicants), model.score(applicants, explain=True)

    assert (explained.contributions.shape, explained.contributions.dtype.name) == ((64, 5), "float64")
    np.testing.assert_allclose(explained.probability, plain.probability, rtol=0, atol=ROUNDING)
    assert explained.decision.tolist() == plain.decision.tolist()


def test_scores_are_the_same_bits_in_every_call_and_session(model: Model, content: bytes, applicants: Matrix) -> None:
    """A second call, and a second load of the file."""
    first = model.score(applicants).probability.tobytes()

    assert model.score(applicants).probability.tobytes() == first
    assert load_model(content).score(applicants).probability.tobytes() == first


def test_an_applicant_has_the_same_scores_alone_and_in_a_batch(model: Model, applicants: Matrix) -> None:
    """Scores do not depend on the other rows."""
    batch = model.score(applicants)

    alone = [model.score(applicants[i : i + 1]) for i in range(len(applicants))]

    expected = pytest.approx(batch.probability.tolist(), rel=0, abs=ROUNDING)
    assert [scores.probability.item() for scores in alone] == expected
    assert [scores.decision.item() for scores in alone] == batch.decision.tolist()


def test_the_file_has_the_batch_size_of_its_graph(model: Model) -> None:
    """A regression of few columns has the largest one."""
    assert model.contract.rows_at_once == MAX_ROWS


@given(cells=st.lists(st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE), min_size=3, max_size=3))
def test_every_valid_number_gives_a_probability(model: Model, cells: list[float]) -> None:
    """Numbers up to MAX_MAGNITUDE do not overflow into NaN."""
    amount, income, debt = cells

    probability = model.score(np.array([[amount, income, np.nan, 1.0, debt]])).probability.item()

    assert 0 <= probability <= 1


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def scored(request: pytest.FixtureRequest, model: Model, root: Path) -> Model:
    """A small logistic model, and the boosted trees of artifacts/model.onnx."""
    return model if request.param == "logistic" else load_model(root / "artifacts" / "model.onnx")


@pytest.fixture(scope="module")
def rows(scored: Model) -> Matrix:
    """The golden applicants, and the same without their nullable fields."""
    golden = np.array(scored.contract.golden.applicants, dtype=np.float64)
    gaps = golden.copy()
    gaps[:, [column for column, field in enumerate(scored.contract.fields) if field.nullable]] = np.nan
    return np.concatenate([golden, gaps])


def values_of(row: Matrix) -> list[float | None]:
    """A row as a list, None where a value is missing."""
    return [None if np.isnan(value) else value for value in row.tolist()]


def check_answer(session: RowSession, scored: Model, row: Matrix, *, explain: bool) -> None:
    """Assert that the scores are the bits of Model.score, and that the input buffer has the row."""
    expected = scored.score(row[None], explain=explain)

    scores = session.score(values_of(row), explain=explain)

    assert scores.probability.tobytes() == expected.probability.tobytes()
    assert scores.decision.tobytes() == expected.decision.tobytes()
    np.testing.assert_array_equal(session.row, row[None])
    np.testing.assert_array_equal(scores.contributions, expected.contributions)


@pytest.mark.parametrize("explain", [False, True], ids=["plain", "with reasons"])
def test_a_row_session_gives_the_scores_of_the_model(scored: Model, rows: Matrix, explain: bool) -> None:
    """For golden rows, with and without their nullable fields."""
    session = RowSession(scored)

    for row in rows:
        check_answer(session, scored, row, explain=explain)


def test_calls_of_a_row_session_do_not_affect_each_other(scored: Model, rows: Matrix) -> None:
    """With and without contributions and missing values in turn."""
    session = RowSession(scored)

    for call in range(1000):
        check_answer(session, scored, rows[call * 7 % len(rows)], explain=call % 3 == 0)


def test_two_row_sessions_have_separate_buffers(scored: Model, rows: Matrix) -> None:
    """After a reload, the old and the new session are used at the same time."""
    before, after = RowSession(scored), RowSession(scored)

    scores = before.score(values_of(rows[0]), explain=True)
    kept = before.row.tobytes(), scores.contributions.tobytes()
    after.score(values_of(rows[1]), explain=True)

    assert (before.row.tobytes(), scores.contributions.tobytes()) == kept
