"""`score_batches` answers every row of every batch, once and in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.policy import DECISIONS
from model.reasons import name_reasons
from model.session import Model
from score.answers import answer_schema
from score.batches import MALFORMED, Scorer, score_batches
from serve.schemas.applicants import read_applicants
from serve.schemas.problems import InvalidApplicants

SAME = 1e-15
"""A row alone and a row in a batch may differ in the last bit."""

cells = st.none() | st.floats() | st.sampled_from(["own", "rent", "True", "False", "1", "7", "x", ""])


def score(table: pa.Table, scorer: Scorer, batch_rows: int = 10_000, threads: int = 1) -> pa.Table:
    """All answers as one table, with texts instead of dictionaries."""
    answers = list(score_batches(table.select(scorer.columns).to_batches(batch_rows), scorer, threads))
    schema = answer_schema(table.schema.field(scorer.id).type, scorer.reasons)
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in schema])
    return pa.Table.from_batches([batch.cast(plain) for batch in answers], plain)


def test_every_row_has_the_answer_of_the_service(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Probability, decision, points, reasons and the version of the model."""
    table = draw(300)
    fields, policy = scorer.model.contract.fields, scorer.model.contract.policy
    applicants = [{field.name: row[field.name] for field in fields} for row in table.to_pylist()]
    matrix = read_applicants(applicants, fields, "").matrix
    expected = scorer.model.score(matrix, explain=True)

    answers = score(table, scorer).to_pylist()

    assert table.column("id").to_pylist() == [answer["id"] for answer in answers]
    for row, answer in enumerate(answers):
        reasons = name_reasons(matrix[row], expected.contributions[row], fields, 3)
        given = [(answer[f"reason_{rank}"], answer[f"reason_{rank}_text"]) for rank in (1, 2, 3)]
        assert abs(expected.probability[row] - answer["probability"]) <= SAME
        assert DECISIONS[expected.decision[row]] == answer["decision"]
        assert policy.score_points(answer["probability"]) == answer["points"]
        assert [(reason.field, reason.text) for reason in reasons] == [pair for pair in given if pair != (None, None)]
        assert (scorer.model.contract.version, None, None) == (answer["model_version"], answer["fault"], answer["row"])


def test_an_answer_does_not_depend_on_the_rows_beside_it(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """To the last bit, however the rows are cut into batches and whatever the number of threads."""
    table = draw(2500)
    whole = score(table, scorer)

    for batch_rows, threads in ((13, 1), (1000, 3), (2499, 2)):
        assert whole.equals(score(table, scorer, batch_rows, threads))
    for row in (0, 1, 1233):
        assert whole.slice(row, 1).equals(score(table.slice(row, 1), scorer))
    assert whole.slice(1233).equals(score(table.slice(1233), scorer))


def test_no_rows_and_no_batches_have_no_answers(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """An empty portfolio is a portfolio."""
    empty = draw(0)

    assert [] == list(score_batches([], scorer))
    answers = list(score_batches([pa.RecordBatch.from_pylist([], schema=empty.schema)], scorer))
    assert [0] == [batch.num_rows for batch in answers]


def test_without_reasons_nothing_is_explained(model: Model, draw: Callable[..., pa.Table]) -> None:
    """No columns for them."""
    answers = score(draw(10), Scorer(model, 0, "id"))

    assert ["id", "probability", "decision", "points", "model_version", "fault", "row"] == answers.schema.names


def test_a_line_that_is_no_row_is_rejected_with_its_text(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """What the CSV readers hand on."""
    table = draw(2).append_column(MALFORMED, pa.array([None, "a,b"]))

    (answers,) = score_batches(table.to_batches(), scorer)

    assert ["A-000000", "A-000001"] == answers.column("id").to_pylist()
    assert [None, "not a row of the table: 'a,b'"] == answers.column("fault").to_pylist()
    assert [None, "a,b"] == answers.column("row").to_pylist()


def test_ids_of_a_dictionary_are_answered_as_themselves(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """As pandas writes a Categorical; the rows of the answers are of the type that the output was made for."""
    table = draw(4)
    place = table.schema.get_field_index(scorer.id)
    texts = pa.array(["b", "a", "b", "c"])

    table = table.set_column(place, scorer.id, texts.dictionary_encode())
    (answers,) = score_batches(table.select(scorer.columns).to_batches(), scorer)

    assert texts == answers.column("id")


def test_a_row_without_an_id_is_rejected(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Nobody could say whose answer it is; its cells are kept as POST /score takes them."""
    table = draw(1).set_column(0, "id", pa.array([None], pa.string()))

    (answer,) = score(table, scorer).to_pylist()

    assert "id: missing; expected what names the row" == answer["fault"]
    assert {k: v for k, v in table.to_pylist()[0].items() if k not in ("id", "note")} == msgspec.json.decode(
        answer["row"]
    )


@given(rows=st.lists(st.tuples(cells, cells, cells, cells, cells), max_size=20), threads=st.integers(1, 2))
def test_rows_in_are_rows_out_and_rejects(scorer: Scorer, rows: list[tuple[Any, ...]], threads: int) -> None:
    """Each row is scored or rejected, never both; a scored one is one that the service takes, so is the probability."""
    texts = {
        field.name: pa.array([None if row[place] is None else str(row[place]) for row in rows], pa.string())
        for place, field in enumerate(scorer.model.contract.fields)
    }
    table = pa.table({"id": pa.array(range(len(rows)), pa.int64()), **texts})

    answers = score(table, scorer, batch_rows=3, threads=threads).to_pylist()

    assert list(range(len(rows))) == [answer["id"] for answer in answers]
    for answer in answers:
        is_scored = answer["fault"] is None
        assert is_scored == (answer["probability"] is not None and np.isfinite(answer["probability"]))
        assert is_scored == (answer["decision"] in DECISIONS)
        assert is_scored == (answer["row"] is None)


def test_the_row_of_a_reject_is_what_the_service_refuses_too(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Posted to /score it is refused for the same fields."""
    table = draw(1).set_column(3, "Home, now", pa.array(["castle"]))
    (answer,) = score(table, scorer).to_pylist()

    with pytest.raises(InvalidApplicants) as caught:
        read_applicants([msgspec.json.decode(answer["row"])], scorer.model.contract.fields, "")
    (fault,) = caught.value.faults
    assert "/0/Home, now" == fault.pointer
    assert f"Home, now: {fault.detail}" == answer["fault"]
