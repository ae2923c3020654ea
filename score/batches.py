"""`score_batches`: the one function that both engines run, from record batches of applicants to batches of answers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from model.session import Matrix, Model
from score.answers import ReasonWords, answer_schema, decision_words, largest_fields, version_words
from score.columns import Cells, read_column, show

MALFORMED = "_corrupt_record"
"""A column with the text of a line that isn't a row of its table; both engines' CSV readers fill it."""

CHUNK_ROWS = 2048
"""Rows gathered from their columns at a time; `Model.score` cuts them to what the graph takes fastest."""

ALIGNED_ROWS = 16
"""Rows are padded to a multiple: a matrix product may differ in the last bit for rows left over by its kernel, and an
answer must not depend on who stands beside an applicant."""

AHEAD = 2
"""Batches in waiting for each thread."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """What to answer with: the model, how many reasons (0 for none), and the column that names a row."""

    model: Model
    reasons: int
    id: str

    @property
    def columns(self) -> list[str]:
        """The columns of the input that are read, the id first."""
        return [self.id, *(field.name for field in self.model.contract.fields if field.name != self.id)]


def score_batches(batches: Iterable[pa.RecordBatch], scorer: Scorer, threads: int = 1) -> Iterator[pa.RecordBatch]:
    """For each batch of applicants one batch of answers (`answer_schema`), row by row, in order.

    A batch holds the columns of `scorer.columns`, and may hold MALFORMED. Batches are scored side by side on
    `threads` threads (the graph doesn't hold Python's lock), few of them ahead, so that memory stays bounded.
    Raises ScoringError if a column is of a type that can't hold its field.
    """
    if threads == 1:
        for batch in batches:
            yield _score(batch, scorer)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_score, batch, scorer))
                if len(waiting) > AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _score(batch: pa.RecordBatch, scorer: Scorer) -> pa.RecordBatch:
    contract = scorer.model.contract
    columns = [read_column(batch.column(field.name), field) for field in contract.fields]
    faults = _gather(batch, scorer, columns)
    probability, decision, largest, gaps = _run([column.values for column in columns], scorer, batch.num_rows)

    for row in np.flatnonzero(~np.isfinite(probability)).tolist():
        faults.setdefault(row, f"the model gives no probability, but {probability[row]}")
    is_rejected = np.zeros(batch.num_rows, np.bool_)
    is_rejected[list(faults)] = True
    largest[is_rejected] = -1
    probability[is_rejected] = 0.5
    mask = is_rejected if faults else None
    ids = batch.column(scorer.id)
    ids = ids.dictionary_decode() if pa.types.is_dictionary(ids.type) else ids
    return pa.RecordBatch.from_arrays(
        [
            ids,
            pa.array(probability, mask=mask),
            decision_words(decision, is_rejected),
            pa.array(contract.policy.score_many_points(probability), mask=mask),
            *ReasonWords(contract.fields).columns(largest, gaps),
            version_words(contract, is_rejected),
            *_rejected(batch, scorer, faults),
        ],
        schema=answer_schema(ids.type, scorer.reasons),
    )


def _run(columns: list[Matrix], scorer: Scorer, rows: int) -> tuple[Any, ...]:
    """Through the graph in chunks: probability, decision, the fields of the reasons, and which of these are missing."""
    probability, decision = np.empty(rows), np.empty(rows, np.int64)
    largest = np.full((rows, scorer.reasons), -1)
    gaps = np.zeros((rows, scorer.reasons), np.bool_)
    chunk = np.zeros((CHUNK_ROWS, len(columns)))
    for start in range(0, rows, CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, rows)
        size = stop - start
        for place, values in enumerate(columns):
            chunk[:size, place] = values[start:stop]
        scores = scorer.model.score(chunk[: math.ceil(size / ALIGNED_ROWS) * ALIGNED_ROWS], explain=scorer.reasons > 0)
        probability[start:stop] = scores.probability[:size]
        decision[start:stop] = scores.decision[:size]
        if scorer.reasons:
            found = largest_fields(scores.contributions[:size], scorer.reasons)
            largest[start:stop] = found
            gaps[start:stop] = np.isnan(np.take_along_axis(chunk[:size], found, axis=1))
    return probability, decision, largest, gaps


def _gather(batch: pa.RecordBatch, scorer: Scorer, columns: list[Cells]) -> dict[int, str]:
    """Row → everything that is wrong with it."""
    malformed: dict[int, str] = {}
    if MALFORMED in batch.schema.names and batch.column(MALFORMED).null_count < batch.num_rows:
        texts = batch.column(MALFORMED).to_pylist()
        malformed = {row: f"not a row of the table: {show(text)}" for row, text in enumerate(texts) if text is not None}
    faults: dict[int, list[str]] = {}
    ids = batch.column(scorer.id)
    if ids.null_count:
        for row in np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False)).tolist():
            faults.setdefault(row, []).append(f"{scorer.id}: missing; expected what names the row")
    for field, column in zip(scorer.model.contract.fields, columns, strict=True):
        for row, text in column.faults.items():
            faults.setdefault(row, []).append(f"{field.name}: {text}")
    return {row: "; ".join(texts) for row, texts in faults.items()} | malformed


def _rejected(batch: pa.RecordBatch, scorer: Scorer, faults: dict[int, str]) -> list[pa.Array]:
    """The columns fault and row: for a rejected row its cells as JSON, as POST /score takes them, or its whole text."""
    if not faults:
        return [pa.nulls(batch.num_rows, pa.string())] * 2
    rows = sorted(faults)
    cells = batch.take(pa.array(rows)).to_pylist()
    texts = {}
    for row, values in zip(rows, cells, strict=True):
        malformed = values.pop(MALFORMED, None)
        applicant = {field.name: _json_value(values[field.name]) for field in scorer.model.contract.fields}
        texts[row] = malformed if malformed is not None else msgspec.json.encode(applicant, enc_hook=str).decode()
    everyone = range(batch.num_rows)
    return [pa.array([found.get(row) for row in everyone], pa.string()) for found in (faults, texts)]


def _json_value(value: object) -> object:
    """JSON has no infinity: as text, so that the row shows what was there."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value
