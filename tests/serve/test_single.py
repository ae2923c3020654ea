"""One applicant through kept buffers gets what a batch gets, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from serve.model import Matrix, Model, load_model
from serve.single import Single


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


def check_answer(single: Single, scored: Model, row: Matrix, *, explain: bool) -> None:
    """The same bits as Model.score, and the row that was scored in the buffer."""
    expected = scored.score(row[None], explain=explain)

    scores = single.score(values_of(row), explain=explain)

    assert expected.probability.tobytes() == scores.probability.tobytes()
    assert expected.decision.tobytes() == scores.decision.tobytes()
    np.testing.assert_array_equal(row[None], single.row)
    if explain:
        assert expected.contributions.tobytes() == scores.contributions.tobytes()


@pytest.mark.parametrize("explain", [False, True], ids=["plain", "with reasons"])
def test_it_answers_as_the_model_does(scored: Model, rows: Matrix, explain: bool) -> None:
    """Every golden row, with all its values and without those that may be missing."""
    single = Single(scored)

    for row in rows:
        check_answer(single, scored, row, explain=explain)


def test_a_thousand_calls_in_turn_leave_nothing_behind(scored: Model, rows: Matrix) -> None:
    """With reasons and without, with gaps and without: no call sees another's values."""
    single = Single(scored)

    for call in range(1000):
        check_answer(single, scored, rows[call * 7 % len(rows)], explain=call % 3 == 0)


def test_two_models_have_buffers_of_their_own(scored: Model, rows: Matrix) -> None:
    """As after a reload, when both still answer."""
    before, after = Single(scored), Single(scored)

    before.score(values_of(rows[0]), explain=True)
    kept = before.row.tobytes(), before.scores.contributions.tobytes()
    after.score(values_of(rows[1]), explain=True)

    assert kept == (before.row.tobytes(), before.scores.contributions.tobytes())
