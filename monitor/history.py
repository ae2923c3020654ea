"""History: every decision of a period with its final decision, outcome and the challenger's answer, as columns.

Of several reviews, outcomes or answers of a challenger the latest counts, by time and id: an outcome that corrects an
earlier one is in its place, a default too. Records that were forged, such as one with a probability of 2, are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from decisions.reading import write_period
from decisions.record import OutcomePayload
from decisions.store import Store
from model.bins import Counts
from model.contract import Contract
from model.policy import DECISIONS
from monitor.rows import Hash, Time, convert_rows, read_inputs
from monitor.summary import ModelName
from monitor.tally import Layout, Tally, sum_counts

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Small = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.bytes_]

DAY_MICROSECONDS = 86_400_000_000

ROWS_AT_ONCE = 10_000

_EPOCH = date(1970, 1, 1)

_ROW = np.dtype(
    [
        ("id", "S36"),
        ("subject", "S36"),
        ("time", "i8"),
        ("model", "i2"),
        ("number", "f8"),
        ("value", "i1"),
        ("day", "i4"),
    ]
)
"""A record: `number` is the probability or the amount lost, `value` the decision or whether the applicant defaulted."""

_Value = tuple[float | None, int, int]

_INDEX: dict[str | None, int] = {word: index for index, word in enumerate(DECISIONS)}

_MODELS = "SELECT sha256, name, version FROM models"

_decode_outcome = msgspec.json.Decoder(OutcomePayload).decode


@dataclass(frozen=True, slots=True)
class History:
    """Decisions in the order of their times; each column has shape (n,).

    `time`: microseconds since 1970. `model`: index into `models`. `decision`, `final`, `challenger_decision`: index
    into DECISIONS, −1 where there is none; `final` is that of the latest review. `defaulted`: 0 or 1 of the latest
    outcome, −1 = unknown. `outcome_day`: the day since 1970 on which it was known, −1 = unknown. `amount_lost`,
    `challenger_probability`: NaN = unknown. `challenger`: whose answers these are, the latest that gave any.
    """

    time: Integers
    model: npt.NDArray[np.int16]
    probability: Floats
    decision: Small
    final: Small
    defaulted: Small
    outcome_day: npt.NDArray[np.int32]
    amount_lost: Floats
    challenger_probability: Floats
    challenger_decision: Small
    models: tuple[ModelName, ...]
    challenger: ModelName | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def settled(self) -> Small:
        """The last word on each decision: of the latest review, or else the model's; shape (n,)."""
        return np.where(self.final >= 0, self.final, self.decision)


class _Columns(NamedTuple):
    """What of a record is read."""

    kind: str
    id: str
    subject: str | None
    time: Time
    model: Hash | None
    probability: float | None
    decision: str | None
    payload: str | None


class _Answer(NamedTuple):
    """What of a decision counts in the bins."""

    probability: float | None
    decision: str | None
    payload: str | None
    time: Time


def read_history(store: Store, start: int | None = None, end: int | None = None) -> History:
    """The decisions from `start` to before `end`, microseconds since 1970; raises StoreError."""
    hashes: dict[str | None, int] = {}
    found = _read_rows(store, start, end, hashes)
    names = {sha: ModelName(name, version, sha) for sha, name, version in store.query(_MODELS)}
    models = tuple(names.get(sha or "", ModelName("", "", sha or "")) for sha in hashes)

    decisions = found["decision"]
    decisions = decisions[np.lexsort([decisions["id"], decisions["time"]])]
    places = np.argsort(decisions["id"])
    ids, n = decisions["id"][places], len(decisions)
    history = History(
        time=decisions["time"].copy(),
        model=decisions["model"].copy(),
        probability=decisions["number"].copy(),
        decision=decisions["value"].copy(),
        final=np.full(n, -1, np.int8),
        defaulted=np.full(n, -1, np.int8),
        outcome_day=np.full(n, -1, np.int32),
        amount_lost=np.full(n, np.nan),
        challenger_probability=np.full(n, np.nan),
        challenger_decision=np.full(n, -1, np.int8),
        models=models,
    )
    del decisions, found["decision"]
    (reviews, reviewed), (outcomes, known), (shadows, answered) = (
        _find_latest(found.pop(kind), ids, places) for kind in ("review", "outcome", "shadow")
    )
    history.final[reviewed] = reviews["value"]
    history.defaulted[known] = outcomes["value"]
    history.outcome_day[known] = outcomes["day"]
    history.amount_lost[known] = outcomes["number"]
    if not len(shadows):
        return history
    challenger = shadows["model"][-1]
    shadows, answered = shadows[shadows["model"] == challenger], answered[shadows["model"] == challenger]
    history.challenger_probability[answered] = shadows["number"]
    history.challenger_decision[answered] = shadows["value"]
    return replace(history, challenger=models[challenger])


def measure_drift(store: Store, contract: Contract, sha256: str, start: int | None, end: int | None) -> Tally:
    """What a model decided from `start` to before `end`, counted in its bins; raises StoreError."""
    layout, width = Layout(contract), len(contract.fields)
    where, parameters = write_period(start, end)
    sql = f"SELECT probability, decision, payload, time FROM records WHERE {where} AND model = :model"  # noqa: S608
    vectors: list[Counts] = []
    for rows in _batch(store.query(sql, {**parameters, "model": sha256})):
        kept = [row for row in convert_rows(rows, _Answer) if _is_answer(*row[:2])]
        probability = np.array([row[0] for row in kept], np.float64)
        decision = np.array([_INDEX[row[1]] for row in kept], np.int64)
        _, inputs = read_inputs([row[2] for row in kept if row[2] is not None], width)
        vectors = [sum_counts([*vectors, layout.count(inputs, probability, decision)])]
    return layout.read(sum_counts(vectors))


def _read_rows(
    store: Store, start: int | None, end: int | None, models: dict[str | None, int]
) -> dict[str, npt.NDArray[np.void]]:
    """The records by kind, as _ROW; `models` gets an index for each SHA-256."""
    where, parameters = write_period(start, end)
    sql = f"""
        SELECT
            kind, id, subject, time, model, probability, decision,
            CASE WHEN kind = 'outcome' THEN payload END
        FROM records WHERE ({where}) OR kind IN ('review', 'outcome', 'shadow')
    """  # noqa: S608
    portions: dict[str, list[npt.NDArray[np.void]]] = {kind: [np.empty(0, _ROW)] for kind in _READERS}
    for rows in _batch(store.query(sql, parameters)):
        found: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in _READERS}
        for kind, id, subject, time, model, *values in convert_rows(rows, _Columns):
            value = _READERS[kind](*values)
            if value is not None:
                index = models.setdefault(model, len(models)) if kind in ("decision", "shadow") else -1
                found[kind].append((id.encode(), (subject or "").encode(), time, index, *value))
        for kind, some in found.items():
            portions[kind].append(np.array(some, _ROW))
    return {kind: np.concatenate(arrays) for kind, arrays in portions.items()}


def _find_latest(records: npt.NDArray[np.void], ids: Names, places: Integers) -> tuple[npt.NDArray[np.void], Integers]:
    """The records, the latest last, whose subject is one of `ids`, which are sorted; and its place."""
    records = records[np.lexsort([records["id"], records["time"]])]
    if not len(ids):
        return records[:0], places
    found = np.minimum(np.searchsorted(ids, records["subject"]), len(ids) - 1)
    is_found = ids[found] == records["subject"]
    return records[is_found], places[found[is_found]]


def _is_answer(probability: object, decision: object) -> bool:
    """Whether a decision has a probability and a word, as it must unless it was forged."""
    return isinstance(probability, float) and 0 <= probability <= 1 and decision in _INDEX


def _read_answer(probability: float | None, decision: str | None, _: None) -> _Value | None:
    return (probability, _INDEX[decision], -1) if _is_answer(probability, decision) else None


def _read_review(_: None, decision: str | None, __: None) -> _Value | None:
    return (math.nan, _INDEX[decision], -1) if decision in _INDEX else None


def _read_outcome(_: None, __: None, payload: str | None) -> _Value | None:
    """An outcome; None if it was erased."""
    if payload is None:
        return None
    try:
        outcome = _decode_outcome(payload)
        return outcome.amount_lost, outcome.defaulted, read_day(outcome.date)
    except (msgspec.MsgspecError, ValueError):
        return None


@lru_cache(maxsize=100_000)
def read_day(text: str) -> int:
    """Days since 1970 of YYYY-MM-DD; raises ValueError."""
    return (date.fromisoformat(text) - _EPOCH).days


def _batch(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while portion := list(islice(rows, ROWS_AT_ONCE)):
        yield portion


_READERS: dict[str, Callable[[Any, Any, Any], _Value | None]] = {
    "decision": _read_answer,
    "shadow": _read_answer,
    "review": _read_review,
    "outcome": _read_outcome,
}
"""How probability, decision and payload of a record of each kind become number, value and day of a _ROW."""
