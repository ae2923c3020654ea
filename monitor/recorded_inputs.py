"""Columns that follow from the recorded inputs of each decision of a history, in the fields of any model.

Used for a challenger that scores the record afterwards, and for what rules and amounts of money say of an applicant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from model.contract import Field
from model.field_map import FieldMap, UnfitChallenger
from model.policy import DECISIONS
from model.session import Matrix
from monitor.history import Floats, History
from monitor.rows import Hash, Time, convert_rows

ROWS_AT_ONCE = 10_000

Columns = npt.NDArray[np.void]

Derive = Callable[[Matrix, Floats], Columns]
"""Applicants, shape (m, n_fields), and the recorded probabilities, (m,), → a structured array, shape (m,)."""


@dataclass(frozen=True, slots=True)
class _Given:
    """How applicants of a model on record are read in other fields. `levels`: of each field, inf of a number."""

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
        """The inputs in the other fields; a level that doesn't exist is no value."""
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


def derive_columns(
    store: Store,
    history: History,
    fields: Sequence[Field],
    period: tuple[int | None, int | None],
    empty: Columns,
    derive: Derive,
) -> Columns:
    """A structured array, shape (n,), in the order of the history of this period.

    `empty`, shape (1,): where inputs were erased, or don't fit the fields. Raises StoreError, and CommandError if the
    applicants of no model of the period have these fields.
    """
    kind = np.dtype([("id", "S36"), ("time", "i8"), ("derived", empty.dtype)])
    maps = _map_fields(store, history, fields)
    parts = [_derive(rows, maps, np.empty(len(rows), kind), empty, derive) for rows in _read_portions(store, *period)]
    found = np.concatenate([np.empty(0, kind), *parts])
    found = found[np.lexsort([found["id"], found["time"]])]
    if not np.array_equal(found["time"], history.time):
        raise CommandError("decisions were added or deleted while they were read; run the command again")
    derived: Columns = found["derived"]
    return derived


def _map_fields(store: Store, history: History, fields: Sequence[Field]) -> dict[str, _Given]:
    """By SHA-256 of a model on record that has these fields."""
    kept, maps, problem = read_models(store), {}, ""
    for one in history.models:
        if one.sha256 in kept:
            given = kept[one.sha256].fields
            try:
                levels = [len(field.levels) or np.inf for field in given]
                maps[one.sha256] = _Given(FieldMap(given, fields), np.array(levels))
            except UnfitChallenger as error:
                problem = str(error)
    if not maps:
        raise CommandError(f"the model can't score the applicants on record: {problem}")
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


def _derive(
    rows: Sequence[tuple[Any, ...]], maps: Mapping[str, _Given], found: Columns, empty: Columns, derive: Derive
) -> Columns:
    found["id"] = [id.encode() for id, *_ in rows]
    found["time"] = [row[1] for row in rows]
    found["derived"] = empty
    probability = np.array([row[3] for row in rows], np.float64)
    for sha256, given in maps.items():
        inputs = [given.read(row[5]) if row[2] == sha256 else None for row in rows]
        places = np.array([place for place, values in enumerate(inputs) if values is not None], np.intp)
        if len(places):
            applicants = given.map(np.array([values for values in inputs if values is not None], np.float64))
            is_taken = given.fields.find_taken(applicants)
            found["derived"][places[is_taken]] = derive(applicants[is_taken], probability[places[is_taken]])
    return found
