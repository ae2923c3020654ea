"""Counting: new records are added to the tallies, a portion at a time.

After any mix of appends, passes and erasures, by any number of counters, the tallies of days are what counting all
records anew gives; so are those of slots that are still kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from decisions.reading import select_in
from decisions.replay import ReplayError, decompress_model
from decisions.store import RECOUNTS, Store, TallyKey
from model.contract import Contract, ContractError
from model.loading import load_model
from model.policy import DECISIONS
from monitor.rows import Hash, Time, convert_rows, read_inputs
from monitor.swaps import SwapLayout, mark_reviews, reviews_series, shadow_series
from monitor.tally import (
    DAY,
    KEPT_SLOTS,
    SECOND,
    SLOT,
    Layout,
    Marks,
    Matrix,
    add_counts,
    decisions_series,
    group_by,
    write_counts,
)

RECORDS_AT_ONCE = 5_000

CHAINS_AT_ONCE = 100
"""Chains of one SELECT. Its numbers stand in it, so that PostgreSQL knows how few records it is about."""

_COLUMNS = "kind, time, model, subject, probability, decision, CASE WHEN kind = 'decision' THEN payload END"

# Each process of a service has a chain of its own.
_UNCOUNTED = """
SELECT chains.chain, coalesce(tallied.sequence, 0), chains.sequence,
    (SELECT min(records.sequence) FROM records WHERE records.chain = chains.chain)
FROM chains LEFT JOIN tallied ON tallied.chain = chains.chain
WHERE chains.sequence > coalesce(tallied.sequence, 0) ORDER BY chains.opened, chains.chain LIMIT :limit
"""

_INDEX: dict[str, int] = {word: index for index, word in enumerate(DECISIONS)}


class Contracts:
    """The contracts of a store's model files, read once; no graph stays loaded."""

    def __init__(self) -> None:
        self._contracts: dict[str, Contract | None] = {}

    def load(self, store: Store, sha256: str) -> Contract | None:
        """The contract of a kept model file, None if it can't be read; raises StoreError."""
        if sha256 not in self._contracts:
            self._contracts[sha256] = _load_contract(store, sha256)
        return self._contracts[sha256]


class _Record(Struct, frozen=True, array_like=True):
    """What of a record is counted."""

    kind: str
    time: Time
    model: Hash | None
    subject: str | None
    probability: float | None
    decision: str | None
    payload: str | None

    @property
    def is_answer(self) -> bool:
        """Whether it has a model, a probability and a decision, as it must unless it was forged."""
        is_probability = self.probability is not None and 0 <= self.probability <= 1
        return self.model is not None and is_probability and self.decision in _INDEX


class _Subject(_Record, frozen=True):
    """The decision that a review or a challenger's answer is about."""

    id: str


class _Portion(Struct, frozen=True):
    """Records that aren't counted yet, and what `Store.add_tallies` has to know of their chains."""

    records: list[_Record]
    moved: dict[int, tuple[int, int]]


class _Sums:
    """What is added to each tally."""

    def __init__(self, oldest_slot: int) -> None:
        self._oldest_slot = oldest_slot
        self._vectors: dict[TallyKey, npt.NDArray[np.int64]] = {}

    def add(self, series: str, records: Sequence[_Record], marks: Marks) -> None:
        """Count marks in the slot and in the day of each record."""
        seconds = np.array([record.time for record in records], np.int64) // SECOND
        for width in (SLOT, DAY):
            starts = seconds // width * width
            for rows in group_by(starts):
                key = TallyKey(series, width, int(starts[rows[0]]))
                if width == DAY or key.start >= self._oldest_slot:
                    vector = marks.add_up(rows)
                    before = self._vectors.get(key)
                    self._vectors[key] = vector if before is None else before + vector

    def write(self) -> dict[TallyKey, bytes]:
        return {key: write_counts(vector) for key, vector in self._vectors.items()}


def count_new(store: Store, contracts: Contracts, now: int, limit: int = RECORDS_AT_ONCE) -> bool:
    """Count at most `limit` records that aren't counted yet; False if there were none. Raises StoreError.

    `now`: microseconds since 1970; slots too old to be kept are neither written nor kept. Another counter of the same
    database may have been faster, or records may have been erased meanwhile: then nothing is counted, and the next call
    begins again.
    """
    portion = _read_portion(store, limit)
    if portion is None:
        return False
    oldest = find_oldest_slot(now)
    sums = _Sums(oldest)
    _count_decisions(store, contracts, portion.records, sums)
    _count_subjects(store, contracts, portion.records, sums)
    store.add_tallies(portion.moved, sums.write(), add_counts, {SLOT: oldest})
    return True


def find_oldest_slot(now: int) -> int:
    """The start, in seconds, of the first slot that is kept at a time in microseconds."""
    return (now // SECOND - KEPT_SLOTS) // SLOT * SLOT


def _read_portion(store: Store, limit: int) -> _Portion | None:
    # First: an erasure after this shows as another number of recounts.
    ((recounts,),) = list(
        store.query("SELECT coalesce(max(sequence), 0) FROM tallied WHERE chain = :chain", {"chain": RECOUNTS})
    )
    moved: dict[int, tuple[int, int]] = {}
    conditions, room = [], limit
    for chain, counted, head, first in list(store.query(_UNCOUNTED, {"limit": limit})):
        # What was deleted, up to the head if that is all, is passed over.
        start = head if first is None else max(counted, first - 1)
        end = min(head, start + room)
        moved[chain] = (counted, end)
        if end > start:
            conditions.append(f"(chain = {chain:d} AND sequence > {start:d} AND sequence <= {end:d})")
        room -= end - start
        if not room:
            break
    if not moved:
        return None
    records: list[_Record] = []
    for place in range(0, len(conditions), CHAINS_AT_ONCE):
        where = " OR ".join(conditions[place : place + CHAINS_AT_ONCE])
        rows = list(store.query(f"SELECT {_COLUMNS} FROM records WHERE {where}"))  # noqa: S608
        records += convert_rows(rows, _Record)
    return _Portion(records, {RECOUNTS: (recounts, recounts), **moved})


def _count_decisions(store: Store, contracts: Contracts, records: Sequence[_Record], sums: _Sums) -> None:
    by_model: dict[str, list[_Record]] = {}
    for record in records:
        if record.kind == "decision" and record.is_answer:
            by_model.setdefault(record.model or "", []).append(record)
    for model, decisions in by_model.items():
        layout = Layout(contracts.load(store, model))
        series = decisions_series(model)
        sums.add(series, decisions, layout.mark_answers(_read_probability(decisions), _read_decision(decisions)))
        if layout.n_inputs:
            kept = [(decision, decision.payload) for decision in decisions if decision.payload is not None]
            places, applicants = read_inputs([payload for _, payload in kept], layout.n_inputs)
            complete = [kept[place][0] for place in places]
            sums.add(series, complete, layout.mark_inputs(applicants))
            rows, marks = layout.mark_rules(applicants, _read_decision(complete))
            sums.add(series, [complete[row] for row in rows.tolist()], marks)


def _count_subjects(store: Store, contracts: Contracts, records: Sequence[_Record], sums: _Sums) -> None:
    """Count reviews and a challenger's answers, each with the decision that it is about."""
    about = [record for record in records if record.kind in ("review", "shadow") and record.subject is not None]
    sql = f"SELECT {_COLUMNS}, id FROM records WHERE kind = 'decision' AND id IN"  # noqa: S608
    ids = sorted({record.subject for record in about if record.subject is not None})
    subjects = {one.id: one for one in convert_rows(list(select_in(store, sql, ids)), _Subject)}
    by_series: dict[tuple[str, str, str], list[tuple[_Record, _Record]]] = {}
    for record in about:
        subject = subjects.get(record.subject or "")
        is_whole = record.is_answer if record.kind == "shadow" else record.decision in _INDEX
        if subject is not None and subject.is_answer and is_whole:
            key = record.kind, subject.model or "", record.model or ""
            by_series.setdefault(key, []).append((subject, record))
    for (kind, champion, challenger), pairs in by_series.items():
        before, after = map(list, zip(*pairs, strict=True))
        decision = _read_decision(before), _read_decision(after)
        if kind == "review":
            sums.add(reviews_series(champion), after, mark_reviews(*decision))
        else:
            layout = SwapLayout(contracts.load(store, champion))
            probability = _read_probability(before), _read_probability(after)
            sums.add(shadow_series(champion, challenger), after, layout.mark(probability, decision))


def _read_probability(records: Sequence[_Record]) -> Matrix:
    return np.array([record.probability for record in records], np.float64)


def _read_decision(records: Sequence[_Record]) -> npt.NDArray[np.int64]:
    return np.array([_INDEX[record.decision or ""] for record in records], np.int64)


def _load_contract(store: Store, sha256: str) -> Contract | None:
    found = list(store.query("SELECT content FROM models WHERE sha256 = :sha", {"sha": sha256}))
    try:
        return load_model(decompress_model(found[0][0], sha256)).contract if found else None
    except (ReplayError, ContractError):
        return None
