"""Export: decisions as a table in Parquet or as JSON lines, and all that is held of one applicant."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from decisions.figures import NO_FIGURES, find_figures, read_policies
from decisions.model_files import KeptModel, read_models
from decisions.reading import EPOCH, FINAL_DECISION, MICROSECOND, find_records_of, write_period, write_time
from decisions.record import SCORED, DecisionPayload, OutcomePayload
from decisions.store import Store

ROWS_AT_ONCE = 10_000

_encode = msgspec.json.Encoder().encode
_decode_decision = msgspec.json.Decoder(DecisionPayload).decode
_decode_outcome = msgspec.json.Decoder(OutcomePayload).decode

LATEST_OUTCOME = """
(
    SELECT outcome.payload FROM records AS outcome
    WHERE outcome.subject = records.id AND outcome.kind = 'outcome'
    ORDER BY outcome.time DESC, outcome.id DESC LIMIT 1
)
"""


class ExportError(Exception):
    """Decisions can't be exported; the message gives the value, what was expected and the next step."""


Inputs = dict[str, float | str | None]


class ExportedDecision(Struct, frozen=True):
    """One row of the table; final decision and outcome are those of the latest review and the latest outcome.

    `inputs`: by field, a category as its level. `applicant`, `inputs`, and what follows from the inputs,
    `expected_loss`, `expected_profit` and `rules` (joined by "; "): None once erased.
    """

    id: str
    time: datetime
    model_name: str
    model_version: str
    model_sha256: str
    applicant: str | None
    inputs: Inputs | None
    probability: float
    decision: str
    points: int
    expected_loss: float | None
    expected_profit: float | None
    rules: str | None
    final_decision: str | None
    outcome_date: date | None
    defaulted: bool | None
    amount_lost: float | None
    is_erased: bool


def export_decisions(
    store: Store, path: Path, start: int | None, end: int | None, progress: Callable[[int], object]
) -> int:
    """Write the decisions made from `start` to before `end` to a .parquet or .jsonl file; returns their number.

    The file appears when it is complete. Raises ExportError, StoreError and OSError.
    """
    writers = {".parquet": _write_parquet, ".jsonl": _write_lines}
    if path.suffix not in writers:
        raise ExportError(f"the file is {path}, expected a name that ends in {' or '.join(writers)}")
    models = read_models(store)
    decisions = _count(_read_decisions(store, models, start, end), progress)
    with replace_file(path) as file:
        return writers[path.suffix](decisions, models, file)


def describe_applicant(store: Store, applicant: str) -> list[bytes]:
    """All that is held of an applicant, a JSON object for each record, the oldest first; raises StoreError."""
    models = read_models(store)
    lines = []
    for record in find_records_of(store, applicant):
        told: dict[str, Any] = {"kind": record.kind, "id": record.id, "time": write_time(record.time)}
        if record.kind in SCORED and record.payload is not None:
            payload, model = _decode_decision(record.payload), _find_model(models, record.model)
            told |= {"applicant": payload.id, "model_name": model.name, "model_version": model.version}
            told |= {"model_sha256": record.model, "inputs": name_inputs(record.id, payload.inputs, model)}
            told |= {name: getattr(record, name) for name in ("probability", "decision", "points", "reasons")}
            told["decision_id"] = record.subject
        elif record.payload is not None:
            told |= {"decision_id": record.subject, "decision": record.decision} | msgspec.json.decode(record.payload)
        told |= {"request_id": record.request_id, "key": record.key}
        lines.append(_encode({name: value for name, value in told.items() if value is not None}))
    return lines


def name_inputs(id: str, inputs: Sequence[float | None], model: KeptModel) -> Inputs:
    """The inputs of a decision by field, a category as its level; raises ExportError."""
    try:
        pairs = zip(model.fields, inputs, strict=True)
        return {
            field.name: field.levels[int(value)] if field.kind == "category" and value is not None else value
            for field, value in pairs
        }
    except (ValueError, IndexError) as error:
        raise ExportError(
            f"the inputs of decision {id} aren't those of its model; run: python -m decisions verify"
        ) from error


@contextmanager
def replace_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when it is complete, and is removed if it can't be completed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _find_model(models: Mapping[str, KeptModel], sha256: str | None) -> KeptModel:
    try:
        return models[sha256 or ""]
    except KeyError as error:
        raise ExportError(f"the model {sha256} isn't kept; run: python -m decisions verify") from error


def _read_decisions(
    store: Store, models: Mapping[str, KeptModel], start: int | None, end: int | None
) -> Iterator[ExportedDecision]:
    # Read before, since nothing else can be read during one long SELECT.
    policies = read_policies(store, models)
    where, parameters = write_period(start, end)
    sql = f"""
        SELECT id, time, model, probability, decision, points, payload, {FINAL_DECISION}, {LATEST_OUTCOME}
        FROM records WHERE {where} ORDER BY id
    """  # noqa: S608
    for row in store.query(sql, parameters):
        id, time, sha256, probability, decision, points, payload, final_decision, outcome_payload = row
        model = _find_model(models, sha256)
        given = None if payload is None else _decode_decision(payload)
        named = None if given is None else name_inputs(id, given.inputs, model)
        figures = NO_FIGURES
        if given is not None and sha256 in policies:
            figures = find_figures(policies[sha256], given.inputs, probability, decision)
        outcome = None if outcome_payload is None else _decode_outcome(outcome_payload)
        yield ExportedDecision(
            id=id,
            time=EPOCH + time * MICROSECOND,
            model_name=model.name,
            model_version=model.version,
            model_sha256=sha256,
            applicant=None if given is None or given.id is None else str(given.id),
            inputs=named,
            probability=probability,
            decision=decision,
            points=points,
            expected_loss=figures.expected_loss,
            expected_profit=figures.expected_profit,
            rules="; ".join(figures.rules or ()) or None,
            final_decision=final_decision,
            outcome_date=None if outcome is None else date.fromisoformat(outcome.date),
            defaulted=None if outcome is None else outcome.defaulted,
            amount_lost=None if outcome is None else outcome.amount_lost,
            is_erased=payload is None,
        )


def _count(decisions: Iterable[ExportedDecision], progress: Callable[[int], object]) -> Iterator[ExportedDecision]:
    for number, decision in enumerate(decisions, 1):
        yield decision
        if number % ROWS_AT_ONCE == 0:
            progress(ROWS_AT_ONCE)


def _write_lines(decisions: Iterable[ExportedDecision], models: Mapping[str, KeptModel], file: IO[bytes]) -> int:
    count = 0
    for decision in decisions:
        file.write(_encode(decision) + b"\n")
        count += 1
    return count


def _write_parquet(decisions: Iterator[ExportedDecision], models: Mapping[str, KeptModel], file: IO[bytes]) -> int:
    """One column `input_NAME` for each field of any of the models; a category, and what is one in some, as text."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ExportError(
            f"Parquet needs pyarrow ({error}): pip install -r requirements/decisions.txt, or write .jsonl"
        ) from error
    fields = [field for model in models.values() for field in model.fields]
    texts = {field.name for field in fields if field.kind == "category"}
    inputs = {field.name: pa.string() if field.name in texts else pa.float64() for field in fields}
    others = {
        "time": pa.timestamp("us", "UTC"),
        "probability": pa.float64(),
        "points": pa.int64(),
        "expected_loss": pa.float64(),
        "expected_profit": pa.float64(),
        "outcome_date": pa.date32(),
        "defaulted": pa.bool_(),
        "amount_lost": pa.float64(),
        "is_erased": pa.bool_(),
    }
    columns = [(name, others.get(name, pa.string())) for name in ExportedDecision.__struct_fields__]
    place = columns.index(("inputs", pa.string()))
    schema = pa.schema(
        [*columns[:place], *((f"input_{name}", kind) for name, kind in inputs.items()), *columns[place + 1 :]]
    )
    count = 0
    with parquet.ParquetWriter(file, schema) as writer:
        while some := list(islice(decisions, ROWS_AT_ONCE)):
            arrays = {name: [getattr(decision, name) for decision in some] for name, _ in columns}
            given: list[Inputs] = [decision.inputs or {} for decision in some]
            for name in inputs:
                cells = [row.get(name) for row in given]
                is_text = name in texts
                arrays[f"input_{name}"] = [str(cell) if is_text and cell is not None else cell for cell in cells]
            writer.write_batch(pa.record_batch([pa.array(arrays[it.name], it.type) for it in schema], schema=schema))
            count += len(some)
    return count
