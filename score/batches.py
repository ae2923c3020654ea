"""`score_batches`, which both engines run: rows of applicants in, Arrow record batches of results out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from model.missing import blank_codes
from model.results import score_columns
from model.session import Matrix
from score.columns import read_column
from score.decision_ids import id_array
from score.ids import read_ids
from score.rejects import collect_faults, reject_arrays
from score.result_columns import (
    Ranked,
    inputs_array,
    largest_fields,
    reason_arrays,
    result_schema,
    rule_array,
    scalar_arrays,
    version_array,
)
from score.rows import Rows
from score.scorer import Scorer

CHUNK_ROWS = 2048
"""Rows copied from Arrow columns into one matrix at a time; `Model.score` splits them into the graph's batch size."""

ALIGNED_ROWS = 16
"""The matrix is padded to a multiple of this: matrix kernels take rows in blocks, and a remainder may differ in the
last bit. A result must not depend on the other rows."""

MAX_QUEUED_BATCHES = 2
"""For each thread, so that memory stays bounded."""


def score_batches(
    batches: Iterable[Rows], scorer: Scorer, id_type: pa.DataType, threads: int = 1
) -> Iterator[pa.RecordBatch]:
    """Yield one batch of results (`result_schema`) for each batch of applicants, rows and batches in order.

    Batches are scored in parallel on `threads` threads; the graph releases Python's global lock. `id_type`: of the
    ids in the results. Raises ScoringError if the type of a column can't hold its field.
    """
    if threads == 1:
        for rows in batches:
            yield _score(rows, scorer, id_type)
        return
    with ThreadPoolExecutor(threads) as pool:
        queue: deque[Future[pa.RecordBatch]] = deque()
        try:
            for rows in batches:
                queue.append(pool.submit(_score, rows, scorer, id_type))
                if len(queue) > MAX_QUEUED_BATCHES * threads:
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        finally:
            for future in queue:
                future.cancel()


def _score(rows: Rows, scorer: Scorer, id_type: pa.DataType) -> pa.RecordBatch:
    contract, n_rows = scorer.model.contract, rows.batch.num_rows
    policy = contract.policy
    columns = [read_column(rows.column(field.name), field, rows.decimal_of(field.name)) for field in contract.fields]
    ids = read_ids(rows.column(scorer.id), id_type)
    faults = collect_faults(rows, scorer.id, ids, contract.fields, columns)
    values = [column.values for column in columns]
    scored = _run_graph(values, scorer, n_rows)

    for row in np.flatnonzero(~np.isfinite(scored.probability)).tolist():
        faults.setdefault(row, f"the model gives the probability {scored.probability[row]}, expected 0 to 1")
    is_rejected = np.zeros(n_rows, np.bool_)
    is_rejected[list(faults)] = True
    scored.reasons.largest[is_rejected] = -1
    scored.probability[is_rejected] = 0.5
    # Only money and rules read the inputs again; the copy is spared where there are none.
    applicants = np.column_stack(values) if policy.money or policy.rules else np.empty((n_rows, 0))
    deciding = policy.find_deciding_rules(scored.decision, applicants)
    deciding[is_rejected] = False
    reasons = scored.reasons.after_rules(deciding, len(values)) if policy.rules else scored.reasons
    decision_ids = id_array(rows.base_id, rows.lines)
    return pa.RecordBatch.from_arrays(
        [
            ids,
            *scalar_arrays(score_columns(scored.probability, scored.decision, policy, applicants), is_rejected),
            *([rule_array(deciding, policy.rules)] if policy.rules else []),
            *reason_arrays(reasons, contract.fields, policy.rules),
            version_array(contract.version, is_rejected),
            pc.if_else(is_rejected, None, decision_ids) if faults else decision_ids,
            *([inputs_array(values, is_rejected)] if scorer.is_with_inputs else []),
            *reject_arrays(rows, contract.fields, columns, faults),
        ],
        schema=result_schema(id_type, scorer),
    )


@dataclass(frozen=True, slots=True)
class _Scored:
    """Scores of n rows, and their reasons without those of rules."""

    probability: Matrix
    decision: npt.NDArray[np.int64]
    reasons: Ranked


def _run_graph(columns: list[Matrix], scorer: Scorer, rows: int) -> _Scored:
    """Score columns, float64, shape (rows,) each, in chunks of CHUNK_ROWS."""
    shape = (rows, scorer.reasons)
    reasons = Ranked(np.full(shape, -1), np.zeros(shape, np.bool_))
    scored = _Scored(np.empty(rows), np.empty(rows, np.int64), reasons)
    chunk = np.zeros((CHUNK_ROWS, len(columns)))
    for start in range(0, rows, CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, rows)
        size = stop - start
        for number, values in enumerate(columns):
            chunk[:size, number] = values[start:stop]
        scores = scorer.model.score(chunk[: math.ceil(size / ALIGNED_ROWS) * ALIGNED_ROWS], explain=scorer.reasons > 0)
        scored.probability[start:stop] = scores.probability[:size]
        scored.decision[start:stop] = scores.decision[:size]
        if scorer.reasons:
            largest = largest_fields(scores.contributions[:size], scorer.reasons)
            reasons.largest[start:stop] = largest
            values = blank_codes(chunk[:size], scorer.model.contract.fields)
            reasons.is_missing[start:stop] = np.isnan(np.take_along_axis(values, largest, axis=1))
    return scored
