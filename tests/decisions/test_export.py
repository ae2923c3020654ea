"""Exports: every decision with its inputs by field, what a person decided, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from decisions.chain import Chain
from decisions.export import ExportError, describe_applicant, export_decisions, replace_file
from decisions.outcomes import Outcome, make_review, prepare_outcomes
from decisions.reading import find_case, find_records_of
from decisions.record import Record
from decisions.retention import erase
from decisions.store import ModelFile, Store, open_store
from model.session import Matrix, Model
from tests.decisions.filled import COUNT, fill_url, tamper
from tests.decisions.samples import MODEL, NOW, make_entries, read_records
from train.export.golden import draw_applicants


@pytest.fixture
def store(url: str, content: bytes) -> Iterator[Store]:
    """An open database with COUNT decisions of the small model."""
    fill_url(url, content)
    with closing(open_store(url, create=False)) as store:
        yield store


@pytest.fixture
def decided(model: Model) -> Matrix:
    """The inputs of the decisions in the database."""
    return draw_applicants(list(model.contract.fields), COUNT, 1)


def export(store: Store, path: Path, start: int | None = None, end: int | None = None) -> list[dict[str, Any]]:
    """The rows of an exported file."""
    count = export_decisions(store, path, start, end, lambda units: None)
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert count == len(rows)
    return rows


def follow(store: Store, decision: Record) -> None:
    """Record two reviews and two outcomes."""
    case = find_case(store, decision.id)
    assert case is not None
    for final in ("refuse", "accept"):
        entry = make_review(
            case,
            decision=final,
            reason="r",
            note="n",
            who="w",
            key="web",
            request_id="r-1",
        )
        Chain(store).append([entry])
    for day, amount in (("2026-06-01", 1.0), ("2026-07-01", 2.5)):
        outcome = Outcome(day, True, amount, decision_id=decision.id)
        Chain(store).append(prepare_outcomes(store, [outcome], "web").entries)


def test_parquet_has_a_column_for_each_field(store: Store, decided: Matrix, model: Model, tmp_path: Path) -> None:
    """A number to the bit, a category as its level, a missing value as null."""
    rows = export(store, tmp_path / "decisions.parquet")
    records = read_records(store)

    assert [row["id"] for row in rows] == [record.id for record in records]
    for number, field in enumerate(model.contract.fields):
        cells = [row[f"input_{field.name}"] for row in rows]
        values = [None if np.isnan(value) else value for value in decided[:, number].tolist()]
        if field.kind == "category":
            values = [None if value is None else field.levels[int(value)] for value in values]
        assert cells == values
    for row, record in zip(rows, records, strict=True):
        assert (row["applicant"], row["probability"]) == (record.applicant, record.probability)
        assert (row["decision"], row["points"], row["is_erased"]) == (record.decision, record.points, False)
        assert row["time"] == datetime.fromtimestamp(NOW / 1e6, UTC)
        assert (row["model_name"], row["model_sha256"]) == ("test", model.sha256)


def test_json_lines_say_the_same(store: Store, tmp_path: Path) -> None:
    """The inputs are an object."""
    follow(store, read_records(store)[2])
    table, lines = export(store, tmp_path / "d.parquet"), export(store, tmp_path / "d.jsonl")
    for line, row in zip(lines, table, strict=True):
        inputs = line.pop("inputs")
        assert inputs == {name.removeprefix("input_"): row.pop(name) for name in list(row) if name.startswith("input_")}
        assert datetime.fromisoformat(line.pop("time")) == row.pop("time")
        day = row.pop("outcome_date")
        assert line.pop("outcome_date") == (day and day.isoformat())
        assert line == row


def test_the_latest_review_and_outcome_count(store: Store, tmp_path: Path) -> None:
    """Beside the model's own decision; other decisions have none."""
    decision = read_records(store)[2]
    follow(store, decision)
    rows = export(store, tmp_path / "d.parquet")
    row = rows[2]

    assert (row["decision"], row["final_decision"]) == (decision.decision, "accept")
    assert (row["outcome_date"], row["defaulted"], row["amount_lost"]) == (date(2026, 7, 1), True, 2.5)
    assert {(row["final_decision"], row["defaulted"]) for row in rows[3:]} == {(None, None)}


def test_decisions_of_different_models_share_a_table(store: Store, tmp_path: Path) -> None:
    """A field that only one of them has is null for the other; what is a category in one is text in both."""
    fields = '[{"name":"Amount","kind":"category","levels":["low","high"]},{"name":"New","kind":"number","levels":[]}]'
    store.put_model(ModelFile(MODEL.sha256, "other", "2", fields, MODEL.content), NOW)
    Chain(store).append(make_entries("A", "B"))
    rows = export(store, tmp_path / "d.parquet")
    others = [row for row in rows if row["model_name"] == "other"]

    assert [(row["input_Amount"], row["input_New"], row["input_Home"]) for row in others] == [
        ("low", 0.0, None),
        ("high", 1.0, None),
    ]
    assert {type(row["input_Amount"]) for row in rows} <= {str, type(None)}
    assert {row["input_New"] for row in rows if row["model_name"] == "test"} == {None}


def test_erased_decisions_have_no_inputs(store: Store, tmp_path: Path) -> None:
    """They stay in the table, so that counts stay right."""
    erase(store, find_records_of(store, "applicant 3"))
    row = export(store, tmp_path / "d.parquet")[3]
    line = export(store, tmp_path / "d.jsonl")[3]

    assert (row["is_erased"], row["applicant"]) == (True, None)
    assert {row[name] for name in row if name.startswith("input_")} == {None}
    assert (line["is_erased"], line["inputs"], line["applicant"]) == (True, None, None)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_period_without_decisions_gives_an_empty_file(store: Store, tmp_path: Path, suffix: str) -> None:
    """With its columns; its end is exclusive."""
    assert export(store, tmp_path / f"d{suffix}", end=NOW) == []
    assert len(export(store, tmp_path / f"d{suffix}", start=NOW, end=NOW + 1)) == COUNT


def test_all_that_is_held_of_an_applicant(store: Store, model: Model, decided: Matrix) -> None:
    """Decisions with their inputs, reviews and outcomes with what was written, the oldest first."""
    (decision,) = find_records_of(store, "applicant 5")
    follow(store, decision)
    told = [json.loads(line) for line in describe_applicant(store, "applicant 5")]

    assert [one["kind"] for one in told] == ["decision", "review", "review", "outcome", "outcome"]
    assert told[0]["applicant"] == "applicant 5"
    assert told[0]["inputs"]["Amount"] == decided[5, 0]
    assert (told[0]["model_name"], told[0]["model_sha256"]) == ("test", model.sha256)
    assert (told[0]["probability"], told[0]["request_id"], told[0]["key"]) == (
        decision.probability,
        "request 0",
        "benchmark",
    )
    assert told[1] | {"id": 0, "time": 0} == {
        "kind": "review",
        "id": 0,
        "time": 0,
        "decision_id": decision.id,
        "decision": "refuse",
        "reason": "r",
        "note": "n",
        "who": "w",
        "request_id": "r-1",
        "key": "web",
    }
    assert told[4] | {"id": 0, "time": 0} == {
        "kind": "outcome",
        "id": 0,
        "time": 0,
        "decision_id": decision.id,
        "date": "2026-07-01",
        "defaulted": True,
        "amount_lost": 2.5,
        "key": "web",
    }


def test_nothing_is_held_of_an_unknown_applicant(store: Store) -> None:
    """Ids are compared as a whole."""
    assert describe_applicant(store, "applicant") == []


def test_an_unknown_format_is_refused(store: Store, tmp_path: Path) -> None:
    """With the known ones."""
    with pytest.raises(ExportError, match=r"expected a name that ends in \.parquet or \.jsonl"):
        export(store, tmp_path / "d.xlsx")


def test_inputs_that_dont_fit_the_model_are_refused(store: Store, url: str, tmp_path: Path) -> None:
    """They were changed; verify tells more. No file is left behind."""
    id = read_records(store)[2].id
    tamper(url, "UPDATE records SET payload = :payload WHERE id = :id", payload='{"id": 1, "inputs": [1]}', id=id)
    with pytest.raises(ExportError, match=f"decision {id} aren't those of its model"):
        export(store, tmp_path / "d.parquet")

    assert list(tmp_path.glob("*d.parquet*")) == []


def test_an_earlier_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    """An export that fails changes nothing."""
    path = tmp_path / "d.jsonl"
    path.write_text("earlier")
    with pytest.raises(ZeroDivisionError), replace_file(path) as file:
        file.write(b"half" * (1 // 0))

    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("d.jsonl", "earlier")]
    with replace_file(path) as file:
        file.write(b"new")
    assert path.read_text() == "new"


def test_times_are_exact(store: Store, tmp_path: Path) -> None:
    """To the microsecond, in UTC."""
    row = export(store, tmp_path / "d.parquet")[0]

    assert row["time"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOW)
