"""What a challenger that didn't stand in the shadow would have decided: recorded applicants, scored by its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from decisions.model_files import read_models
from decisions.reading import write_period
from decisions.record import DecisionPayload
from decisions.store import Store
from decisions.terminal import CommandError
from model.field_map import FieldMap, UnfitChallenger
from model.policy import DECISIONS
from model.session import Matrix, Model
from monitor.history import Flags, Floats, History, Small
from monitor.rows import Hash, Time, convert_rows
from monitor.summary import ModelName

ROWS_AT_ONCE = 10_000

NO_ANSWER = -1

_ROW = np.dtype([("id", "S36"), ("time", "i8"), ("probability", "f8"), ("decision", "i1")])
"""A decision on record, and what the challenger answers."""


@dataclass(frozen=True, slots=True)
class _Given:
    """How applicants of a model on record are given to the challenger. `levels`: of each field, inf of a number."""

    fields: FieldMap
    levels: Matrix

    def read(self, payload: str | None) -> Sequence[float | None] | None:
        """The inputs of a decision; None if they were erased or forged."""
        if payload is None:
            return None
        try:
            inputs = _decode(payload).inputs
        except msgspec.MsgspecError:
            return None
        return inputs if len(inputs) == len(self.levels) else None

    def map(self, rows: Matrix) -> Matrix:
        """The inputs as the challenger takes them; a level that doesn't exist is no value."""
        is_level = (rows >= 0) & (rows < self.levels) | np.isinf(self.levels)
        return self.fields.map(np.where(is_level, rows, np.nan))


class _Columns(NamedTuple):
    """What of a decision is read."""

    id: str
    time: Time
    model: Hash | None
    probability: float | None
    decision: str | None
    payload: str | None


_decode = msgspec.json.Decoder(DecisionPayload).decode


def score_recorded(store: Store, history: History, model: Model, start: int | None, end: int | None) -> History:
    """The history of this period with the answers of this challenger instead of any other's.

    What it answered in the shadow stays. Applicants whose inputs were erased, or whom it doesn't take, have no answer.
    Raises StoreError, and CommandError if it can't score the applicants of any model of the period.
    """
    maps = _map_fields(store, history, model)
    parts = [_score(rows, maps, model) for rows in _read_portions(store, start, end)]
    scored = np.concatenate([np.empty(0, _ROW), *parts])
    scored = scored[np.lexsort([scored["id"], scored["time"]])]
    if not np.array_equal(scored["time"], history.time):
        raise CommandError("decisions were added or deleted while they were read; run the command again")
    probability, decision = scored["probability"].copy(), scored["decision"].copy()
    if history.challenger is not None and history.challenger.sha256 == model.sha256:
        stood = history.challenger_decision >= 0
        probability[stood], decision[stood] = history.challenger_probability[stood], history.challenger_decision[stood]
    name = ModelName(model.contract.name, model.contract.version, model.sha256)
    return replace(history, challenger=name, challenger_probability=probability, challenger_decision=decision)


def _map_fields(store: Store, history: History, model: Model) -> dict[str, _Given]:
    """By SHA-256 of a model on record that has the challenger's fields."""
    kept, maps, problem = read_models(store), {}, ""
    for one in history.models:
        if one.sha256 in kept:
            fields = kept[one.sha256].fields
            try:
                levels = [len(field.levels) or np.inf for field in fields]
                maps[one.sha256] = _Given(FieldMap(fields, model.contract.fields), np.array(levels))
            except UnfitChallenger as error:
                problem = str(error)
    if not maps:
        raise CommandError(f"the challenger can't score the applicants on record: {problem}")
    return maps


def _read_portions(store: Store, start: int | None, end: int | None) -> Iterator[list[tuple[Any, ...]]]:
    where, parameters = write_period(start, end)
    sql = f"SELECT id, time, model, probability, decision, payload FROM records WHERE {where}"  # noqa: S608
    rows = store.query(sql, parameters)
    while portion := list(islice(rows, ROWS_AT_ONCE)):
        # As read_history: what was forged is no decision.
        yield [
            row
            for row in convert_rows(portion, _Columns)
            if row[3] is not None and 0 <= row[3] <= 1 and row[4] in DECISIONS
        ]


def _score(rows: Sequence[tuple[Any, ...]], maps: Mapping[str, _Given], model: Model) -> npt.NDArray[np.void]:
    found = np.array([(id.encode(), time, np.nan, NO_ANSWER) for id, time, *_ in rows], _ROW)
    for sha256, given in maps.items():
        inputs = [given.read(row[5]) if row[2] == sha256 else None for row in rows]
        places = np.array([place for place, values in enumerate(inputs) if values is not None], np.intp)
        if len(places):
            applicants = given.map(np.array([values for values in inputs if values is not None], np.float64))
            is_taken = given.fields.find_taken(applicants)
            probability, decision = _answer(applicants[is_taken], model)
            found["probability"][places[is_taken]] = probability
            found["decision"][places[is_taken]] = decision
    return found


def _answer(applicants: Matrix, model: Model) -> tuple[Floats, Small]:
    scores = model.score(applicants)
    is_answer: Flags = (scores.probability >= 0) & (scores.probability <= 1)
    return np.where(is_answer, scores.probability, np.nan), np.where(is_answer, scores.decision, NO_ANSWER)
