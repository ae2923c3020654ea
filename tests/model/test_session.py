"""The session of a model: it answers as its pipeline did, and one applicant alone as many together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from model.contract import LARGEST
from model.loading import load_model
from model.session import Matrix, Model, RowSession
from train.export import MOST_ROWS
from train.policy import decide

ROUNDING = 1e-12
"""Sums of a few float64 products, taken in another order, differ by less."""


def test_probabilities_are_those_of_the_pipeline(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """The graph gives what scikit-learn gives, also where cells are missing."""
    expected = pipeline.predict_proba(applicants)[:, 1]

    np.testing.assert_allclose(model.score(applicants).probability, expected, rtol=0, atol=ROUNDING)


def test_decisions_are_those_of_the_policy(model: Model, pipeline: Pipeline, applicants: Matrix) -> None:
    """All three decisions come out, each where the thresholds say."""
    expected = decide(pipeline.predict_proba(applicants)[:, 1], model.contract.policy)

    assert set(expected.tolist()) == {0, 1, 2}
    assert model.score(applicants).decision.tolist() == expected.tolist()


def test_answers_are_one_float64_and_one_int64_a_row(model: Model, applicants: Matrix) -> None:
    """Shape (n,) and the promised types, so that JSON and tables get the same digits."""
    scores = model.score(applicants)

    assert (scores.probability.shape, scores.probability.dtype.name) == ((64,), "float64")
    assert (scores.decision.shape, scores.decision.dtype.name) == ((64,), "int64")
    assert (scores.contributions.shape, scores.contributions.dtype.name) == ((0, 5), "float64")


def test_contributions_are_given_where_they_are_asked_for(model: Model, applicants: Matrix) -> None:
    """One float64 a field, shape (n, 5); asking changes neither probability nor decision."""
    plain, explained = model.score(applicants), model.score(applicants, explain=True)

    assert (explained.contributions.shape, explained.contributions.dtype.name) == ((64, 5), "float64")
    np.testing.assert_allclose(explained.probability, plain.probability, rtol=0, atol=ROUNDING)
    assert explained.decision.tolist() == plain.decision.tolist()


def test_the_same_applicants_get_the_same_bytes_again(model: Model, content: bytes, applicants: Matrix) -> None:
    """Neither a second call nor a second load of the file changes a bit."""
    first = model.score(applicants).probability.tobytes()

    assert model.score(applicants).probability.tobytes() == first
    assert load_model(content).score(applicants).probability.tobytes() == first


def test_an_applicant_is_answered_alone_as_in_a_batch(model: Model, applicants: Matrix) -> None:
    """Nobody's answer depends on who else is asked about."""
    batch = model.score(applicants)

    alone = [model.score(applicants[i : i + 1]) for i in range(len(applicants))]

    expected = pytest.approx(batch.probability.tolist(), rel=0, abs=ROUNDING)
    assert [scores.probability.item() for scores in alone] == expected
    assert [scores.decision.item() for scores in alone] == batch.decision.tolist()


def test_the_file_says_how_many_rows_its_graph_takes_at_once(model: Model) -> None:
    """As many as any, of a regression of few columns; what files say that don't is less."""
    assert model.contract.rows_at_once == MOST_ROWS


@given(cells=st.lists(st.floats(-LARGEST, LARGEST), min_size=3, max_size=3))
def test_whatever_numbers_are_let_in_the_answer_is_a_probability(model: Model, cells: list[float]) -> None:
    """No number that a body may hold overflows into NaN."""
    amount, income, debt = cells

    probability = model.score(np.array([[amount, income, np.nan, 1.0, debt]])).probability.item()

    assert 0 <= probability <= 1


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def scored(request: pytest.FixtureRequest, model: Model, root: Path) -> Model:
    """A small logistic model, and the boosted trees of the checkout."""
    return model if request.param == "logistic" else load_model(root / "artifacts" / "model.onnx")


@pytest.fixture(scope="module")
def rows(scored: Model) -> Matrix:
    """Its golden applicants and the same with their optional fields missing."""
    golden = np.array(scored.contract.golden.applicants, dtype=np.float64)
    gaps = golden.copy()
    gaps[:, [column for column, field in enumerate(scored.contract.fields) if field.nullable]] = np.nan
    return np.concatenate([golden, gaps])


def values_of(row: Matrix) -> list[float | None]:
    """A row as a body has it: None where a value is missing."""
    return [None if np.isnan(value) else value for value in row.tolist()]


def check_answer(session: RowSession, scored: Model, row: Matrix, *, explain: bool) -> None:
    """The same bits as Model.score, and the row that was scored in the buffer."""
    expected = scored.score(row[None], explain=explain)

    scores = session.score(values_of(row), explain=explain)

    assert scores.probability.tobytes() == expected.probability.tobytes()
    assert scores.decision.tobytes() == expected.decision.tobytes()
    np.testing.assert_array_equal(session.row, row[None])
    if explain:
        assert scores.contributions.tobytes() == expected.contributions.tobytes()


@pytest.mark.parametrize("explain", [False, True], ids=["plain", "with reasons"])
def test_a_row_session_answers_as_the_model_does(scored: Model, rows: Matrix, explain: bool) -> None:
    """Every golden row, with all its values and without those that may be missing."""
    session = RowSession(scored)

    for row in rows:
        check_answer(session, scored, row, explain=explain)


def test_a_thousand_calls_in_turn_leave_nothing_behind(scored: Model, rows: Matrix) -> None:
    """With reasons and without, with gaps and without: no call sees another's values."""
    session = RowSession(scored)

    for call in range(1000):
        check_answer(session, scored, rows[call * 7 % len(rows)], explain=call % 3 == 0)


def test_two_row_sessions_have_buffers_of_their_own(scored: Model, rows: Matrix) -> None:
    """As after a reload, when both still answer."""
    before, after = RowSession(scored), RowSession(scored)

    before.score(values_of(rows[0]), explain=True)
    kept = before.row.tobytes(), before.scores.contributions.tobytes()
    after.score(values_of(rows[1]), explain=True)

    assert (before.row.tobytes(), before.scores.contributions.tobytes()) == kept
