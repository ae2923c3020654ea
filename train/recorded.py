"""Decisions on record whose outcomes count, as a table for training: the only module here that reads them.

Which outcomes count is decided by model/maturity.py, as in the backtest. A field's values are those that the graph
took, a category as its level. Only applicants who were accepted have outcomes; protected fields aren't recorded.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from decisions.chain import now
from decisions.model_files import KeptField, KeptModel, read_models
from decisions.reading import FINAL_DECISION, count_decisions, write_period, write_time
from decisions.record import DecisionPayload, OutcomePayload
from decisions.store import Store, StoreError, open_store, resolve_url
from model.maturity import choose_outcomes, describe_maturity
from train.card import CardValue
from train.dataset import Matrix
from train.errors import TrainingError, shorten
from train.recorded_options import Selection
from train.table import Table

NAME = Path("the record of decisions")
"""What messages call the table."""

ID = "decision_id"

TIME = "time_of_decision"
"""Column of when a decision was made, RFC 3339: no input of a model, as it isn't in the card."""

TARGET, DEFAULT, GOOD = "defaulted", "true", "no default"

LATEST = 2**62
"""A time after every other, microseconds since 1970."""

_LATEST_OUTCOME = """
(
    SELECT outcome.payload FROM records AS outcome
    WHERE outcome.subject = records.id AND outcome.kind = 'outcome' AND outcome.time < :as_of
    ORDER BY outcome.time DESC, outcome.id DESC LIMIT 1
)
"""

_EPOCH = date(1970, 1, 1)

_decode_decision = msgspec.json.Decoder(DecisionPayload).decode
_decode_outcome = msgspec.json.Decoder(OutcomePayload).decode


class _Decision(NamedTuple):
    """A decision that has an outcome, or awaits one; `model`: SHA-256; `inputs`: the payload, "" without outcome."""

    id: str
    time: int
    model: str
    payload: str
    outcome: OutcomePayload | None


@dataclass(frozen=True, slots=True)
class _Rows:
    """Decisions whose outcomes count; `defaulted`: bool, shape (n,). `notes`: how many were left out, and why."""

    decisions: list[_Decision]
    defaulted: npt.NDArray[np.bool_]
    sha256: str
    notes: tuple[str, ...]


def read_recorded(
    selection: Selection, names: Collection[str], target: str = TARGET, default: CardValue = DEFAULT
) -> Table:
    """The decisions whose outcomes count as a table: the fields `names`, `target`, the id and the time of the decision.

    `default`: the target's value that means default. `sha256` of the table is that of the rows, whatever the names.
    Raises TrainingError if the database can't be read, no outcome counts, or a model in the period has no such field.
    """
    try:
        with closing(open_store(resolve_url(os.environ, selection.url, "--decisions"), create=False)) as store:
            decisions, models = _read_decisions(store, selection), read_models(store)
            if all(decision.outcome is None for decision in decisions):
                count = count_decisions(store, selection.start, selection.end)
                raise TrainingError(
                    f"none of the {count:,} decisions in the period has an outcome on record; record outcomes with "
                    "python -m decisions outcomes FILE, or choose another period with --from and --to"
                )
    except StoreError as error:
        raise TrainingError(f"the record of decisions can't be read: {error}") from error
    rows = _choose_rows(decisions, selection, models)
    cells = _make_columns(rows.decisions, models, names)
    good = GOOD if str(default) != GOOD else f"not {GOOD}"
    cells[target] = np.where(rows.defaulted, str(default), good).astype(object)
    ids, times = [one.id for one in rows.decisions], [write_time(one.time) for one in rows.decisions]
    frame = pd.DataFrame({ID: ids, TIME: times} | cells)
    return Table(NAME, rows.sha256, frame, np.arange(1, len(frame) + 1), None, ".", notes=rows.notes)


def _read_decisions(store: Store, selection: Selection) -> list[_Decision]:
    """Those with an outcome or whose applicant was accepted, in the order of their times."""
    where, parameters = write_period(selection.start, selection.end)
    sql = f"""
        SELECT id, time, model, payload, coalesce({FINAL_DECISION}, decision), {_LATEST_OUTCOME}
        FROM records WHERE {where} AND payload IS NOT NULL ORDER BY time, id
    """  # noqa: S608
    parameters["as_of"] = LATEST if selection.as_of is None else selection.as_of
    decisions = []
    for id, time, model, payload, decision, outcome in store.query(sql, parameters):
        if outcome is not None or decision == "accept":
            with _as_training_error(id):
                write_time(time)
                read = None if outcome is None else _decode_outcome(outcome)
                if read is not None:
                    date.fromisoformat(read.date)
                row = msgspec.convert((id, time, model, payload), tuple[str, int, str, str])
                decisions.append(_Decision(*row[:3], row[3] if read else "", read))
    return decisions


@contextmanager
def _as_training_error(id: object) -> Iterator[None]:
    """Name the decision that can't be read: it was changed since it was recorded."""
    try:
        yield
    except (msgspec.MsgspecError, ArithmeticError, TypeError, ValueError) as error:
        raise TrainingError(
            f"decision {id} or its outcome can't be read ({error}); find what was changed: python -m decisions verify"
        ) from error


def _choose_rows(decisions: Sequence[_Decision], selection: Selection, models: Mapping[str, KeptModel]) -> _Rows:
    """The decisions whose outcomes count, of the models asked for; raises TrainingError if there are none."""
    days = [-1 if one.outcome is None else (date.fromisoformat(one.outcome.date) - _EPOCH).days for one in decisions]
    defaulted = [-1 if one.outcome is None else int(one.outcome.defaulted) for one in decisions]
    at = now() if selection.as_of is None else selection.as_of
    times = np.array([one.time for one in decisions], np.int64)
    known = choose_outcomes(times, np.array(days, np.int64), np.array(defaulted, np.int64), at, selection.window)
    found = [(one, bad) for one, bad in zip(decisions, known.defaulted.tolist(), strict=True) if bad >= 0]
    why = describe_maturity(known.maturity)
    if not found:
        raise TrainingError(
            f"none of the {known.maturity.left_out:,} outcomes in the period counts yet: {why}; wait for more, or take "
            "older decisions with --from"
        )
    if known.maturity.left_out and len({bad for _, bad in found}) == 1:
        raise TrainingError(
            f"all {len(found):,} outcomes that count are {'defaults' if found[0][1] else 'without default'}, and "
            f"{known.maturity.left_out:,} are left out: {why}; give another --maturity, or other decisions with --from "
            "and --to"
        )
    notes = [f"Outcomes left out: {known.maturity.left_out:,}; {why}."] if known.maturity.left_out else []
    if selection.made_by:
        others = [one.model for one, _ in found if one.model not in selection.made_by]
        found = [(one, bad) for one, bad in found if one.model in selection.made_by]
        makers = [f"{models[sha].name} {models[sha].version}" for sha in dict.fromkeys(others) if sha in models]
        if not found:
            raise TrainingError(
                f"none of the {len(others):,} outcomes in the period is of a decision that this file or its parent "
                f"made: they are of applicants whom {shorten(makers, 5)} accepted; give that model by --model, or a "
                "table of all applicants by --data"
            )
        if others:
            notes.append(f"Outcomes left out: {len(others):,}; of decisions by other models ({shorten(makers, 5)}).")
    digest = sha256()
    for one, bad in found:
        digest.update(f"{one.id} {one.model} {bool(bad)} {one.payload}\n".encode())
    return _Rows([one for one, _ in found], np.array([bad == 1 for _, bad in found]), digest.hexdigest(), tuple(notes))


def _make_columns(
    decisions: Sequence[_Decision], models: Mapping[str, KeptModel], names: Collection[str]
) -> dict[str, Any]:
    """The fields as columns: numbers as float64, NaN where missing; levels as text, empty where missing."""
    made_by = np.array([one.model for one in decisions])
    columns: dict[str, Any] = {}
    for sha in dict.fromkeys(made_by.tolist()):
        if sha not in models:
            raise TrainingError(f"the model {sha} isn't kept with the decisions; run: python -m decisions verify")
        model, places = models[sha], np.flatnonzero(made_by == sha)
        known = {field.name: number for number, field in enumerate(model.fields)}
        absent = [name for name in names if name not in known]
        if absent:
            raise TrainingError(
                f"decisions in the period were made by {model.name} {model.version}, which has no field "
                f"{shorten([repr(name) for name in absent], 5)}; choose decisions after it with --from, or leave the "
                "fields out with --ignore"
            )
        values = np.array([_read_inputs(decisions[place], model) for place in places.tolist()], dtype=np.float64)
        for name in names:
            field = model.fields[known[name]]
            column = columns.setdefault(name, _make_column(field, len(decisions)))
            if (column.dtype == object) != (field.kind == "category"):
                raise TrainingError(
                    f"field {name!r} is a {field.kind} for {model.name} {model.version}, and another kind for another "
                    "model in the period; choose decisions of one of them with --from and --to"
                )
            column[places] = _decode(field, values[:, known[name]])
    return columns


def _read_inputs(decision: _Decision, model: KeptModel) -> Sequence[float | None]:
    """The inputs as the graph took them; raises TrainingError for some that it can't have taken."""
    with _as_training_error(decision.id):
        inputs = _decode_decision(decision.payload).inputs
        for field, value in zip(model.fields, inputs, strict=True):
            if field.kind == "category" and value is not None and value not in range(len(field.levels)):
                raise ValueError(f"{value:g} is no level of {field.name!r}")
        return inputs


def _make_column(field: KeptField, size: int) -> Any:
    """A column without values."""
    return np.full(size, np.nan) if field.kind == "number" else np.full(size, "", dtype=object)


def _decode(field: KeptField, values: Matrix) -> Any:
    """Values as the graph took them, as a table has them."""
    if field.kind == "number":
        return values
    levels = np.array([*field.levels, ""], dtype=object)
    return levels[np.where(np.isnan(values), len(field.levels), values).astype(np.int64)]
