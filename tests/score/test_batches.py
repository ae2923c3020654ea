"""`score_batches`: one result for each row, in order, equal to that of the service."""

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
from model.results import SCALARS, WORDS, score_columns
from model.session import Model
from model.vocabulary import Decimal
from score.batches import score_batches
from score.partitions import Partition
from score.result_columns import result_schema
from score.rows import Malformed, Rows
from score.scorer import Scorer
from serve.schemas.applicants import make_rules, read_applicants
from serve.schemas.problems import InvalidApplicants

ROUNDING = 1e-15
"""Probabilities of the service and of a portfolio may differ in the last bit."""

BASE_ID = "01234567-89ab-8cde-8f01-234000000000"

cells = st.none() | st.floats() | st.sampled_from(["own", "rent", "True", "False", "1", "7", "x", ""])


def make_rows(
    batch: pa.RecordBatch,
    *,
    first: int = 1,
    decimal: Decimal = ".",
    partition: Partition | None = None,
    malformed: dict[int, Malformed] | None = None,
) -> Rows:
    """Consecutive rows, the first in this line."""
    return Rows(batch, np.arange(first, first + batch.num_rows), decimal, BASE_ID, partition or {}, malformed or {})


def score(table: pa.Table, scorer: Scorer, batch_rows: int = 10_000, threads: int = 1) -> pa.Table:
    """All results as one table, with strings instead of dictionaries."""
    batches = table.select(scorer.columns).to_batches(batch_rows)
    firsts = np.cumsum([1, *(batch.num_rows for batch in batches)])
    rows = [make_rows(batch, first=first) for batch, first in zip(batches, firsts[:-1].tolist(), strict=True)]
    results = list(score_batches(rows, scorer, pa.string(), threads))
    schema = result_schema(pa.string(), scorer)
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in schema])
    return pa.Table.from_batches([batch.cast(plain) for batch in results], plain)


def test_every_row_has_the_answer_of_the_service(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Scalars and reasons."""
    table = draw(300)
    fields, policy = scorer.model.contract.fields, scorer.model.contract.policy
    applicants = [{field.name: row[field.name] for field in fields} for row in table.to_pylist()]
    matrix = read_applicants(applicants, make_rules(fields), "").matrix
    expected = scorer.model.score(matrix, explain=True)

    columns = score_columns(expected.probability, expected.decision, policy, matrix)

    results = score(table, scorer).to_pylist()

    assert [result["id"] for result in results] == table.column("id").to_pylist()
    for row, result in enumerate(results):
        reasons = name_reasons(matrix[row], expected.contributions[row], fields, 3)
        given = [(result[f"reason_{rank}"], result[f"reason_{rank}_text"]) for rank in (1, 2, 3)]
        for name, column in columns.items():
            value = WORDS[name][column[row]] if name in WORDS else pytest.approx(column[row], rel=ROUNDING)
            assert result[name] == value
        assert [pair for pair in given if pair != (None, None)] == [(reason.field, reason.text) for reason in reasons]
        assert (result["model_version"], result["fault"], result["row"]) == (scorer.model.contract.version, None, None)


def test_an_answer_does_not_depend_on_the_other_rows(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """The same bits for every batch size and number of threads."""
    table = draw(2500)
    whole = score(table, scorer)

    for batch_rows, threads in ((13, 1), (1000, 3), (2499, 2)):
        assert score(table, scorer, batch_rows, threads).equals(whole)
    whole = whole.drop(["decision_id"])
    for row, size in ((0, 1), (1, 1), (1233, 1), (1233, 1267)):
        assert score(table.slice(row, size), scorer).drop(["decision_id"]).equals(whole.slice(row, size))


def test_empty_batches_have_empty_answers(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """An empty portfolio is valid."""
    empty = draw(0)

    assert list(score_batches([], scorer, pa.string())) == []
    rows = make_rows(pa.RecordBatch.from_pylist([], schema=empty.schema))
    results = list(score_batches([rows], scorer, pa.string()))
    assert [batch.num_rows for batch in results] == [0]


def test_without_reasons_there_are_no_columns_for_them(model: Model, draw: Callable[..., pa.Table]) -> None:
    """Only id, scalars, version, and the columns of rejects."""
    results = score(draw(10), Scorer(model, 0, "id"))

    assert results.schema.names == ["id", *SCALARS, "model_version", "decision_id", "line", "fault", "row"]


def test_a_malformed_line_is_rejected_with_its_text(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """And with its number."""
    (batch,) = draw(2).to_batches()

    (results,) = score_batches(
        [make_rows(batch, first=7, malformed={1: Malformed("2 cells", "a,b")})], scorer, pa.string()
    )

    assert results.column("fault").to_pylist() == [None, "2 cells"]
    assert results.column("line").to_pylist() == [None, 8]
    assert results.column("row").to_pylist() == [None, "a,b"]


def test_the_columns_of_folders_are_columns(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Their numbers have a decimal point, whatever the numbers in the file have."""
    table = draw(3)
    whole = table.set_column(1, "Amount", pa.array([1.5] * 3)).set_column(5, "Rooms", pa.nulls(3, pa.string()))
    (batch,) = table.drop(["Amount", "Rooms"]).to_batches()

    (results,) = score_batches(
        [make_rows(batch, decimal=",", partition={"Amount": "1.5", "Rooms": None})], scorer, pa.string()
    )

    assert results.column("probability").to_pylist() == score(whole, scorer).column("probability").to_pylist()


def test_ids_in_a_dictionary_are_returned_as_plain_values(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """As pandas writes a Categorical; the output schema has the type of the values."""
    table = draw(4)
    index = table.schema.get_field_index(scorer.id)
    texts = pa.array(["b", "a", "b", "c"])

    table = table.set_column(index, scorer.id, texts.dictionary_encode())
    results = score(table, scorer)

    assert results.column("id").to_pylist() == texts.to_pylist()


@pytest.mark.parametrize("id", [None, "", " \u2003"])
def test_a_row_without_an_id_is_rejected(scorer: Scorer, draw: Callable[..., pa.Table], id: str | None) -> None:
    """Its cells are kept as an applicant of POST /score."""
    table = draw(1).set_column(0, "id", pa.array([id], pa.string()))

    (result,) = score(table, scorer).to_pylist()

    assert result["fault"] == "id: missing; expected the id of the row"
    cells = {name: value for name, value in table.to_pylist()[0].items() if name not in ("id", "note")}
    assert msgspec.json.decode(result["row"]) == cells


@given(rows=st.lists(st.tuples(cells, cells, cells, cells, cells), max_size=20), threads=st.integers(1, 2))
def test_each_row_is_either_scored_or_rejected(scorer: Scorer, rows: list[tuple[Any, ...]], threads: int) -> None:
    """A scored row has a probability and a decision; a rejected one has a fault and its cells."""
    texts = {
        field.name: pa.array([None if row[column] is None else str(row[column]) for row in rows], pa.string())
        for column, field in enumerate(scorer.model.contract.fields)
    }
    table = pa.table({"id": pa.array(range(len(rows)), pa.int64()), **texts})

    results = score(table, scorer, batch_rows=3, threads=threads).to_pylist()

    assert [result["id"] for result in results] == [str(row) for row in range(len(rows))]
    for result in results:
        is_scored = result["fault"] is None
        assert is_scored == (result["probability"] is not None and np.isfinite(result["probability"]))
        assert is_scored == (result["decision"] in DECISIONS)
        assert is_scored == (result["row"] is None)


def test_the_row_of_a_reject_can_be_posted_once_it_is_mended(scorer: Scorer, draw: Callable[..., pa.Table]) -> None:
    """Numbers are JSON numbers, levels texts, a missing value is null, a bad cell its text, which the service names."""
    texts = {
        "id": "A",
        "Amount": " $1,250.50 ",
        "Income": "7",
        "Home, now": " castle",
        "Client": "TRUE",
        "Rooms": "n/a",
    }
    (batch,) = pa.table({name: [text] for name, text in texts.items()}).to_batches()
    fields = scorer.model.contract.fields

    (results,) = score_batches([make_rows(batch, first=5)], scorer, pa.string())

    (result,) = results.to_pylist()
    row = msgspec.json.decode(result["row"])
    assert row == {"Amount": 1250.5, "Income": 7, "Home, now": "castle", "Client": "True", "Rooms": None}
    with pytest.raises(InvalidApplicants) as caught:
        read_applicants([row], make_rules(fields), "")
    (fault,) = caught.value.faults
    assert fault.pointer == "/0/Home, now"
    assert result["fault"] == f"Home, now: {fault.detail}"
    assert read_applicants([row | {"Home, now": "own"}], make_rules(fields), "").matrix.tolist()[0][:2] == [1250.5, 7]
