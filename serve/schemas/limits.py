"""Fixed limits: number of reasons, time budget of the event loop, how applicants count against MAX_ROWS.

The event loop serves all connections of a worker, so one request may take some 2 ms of it. A request that takes longer
raises Offload there and is done again in a thread. The limits that an operator can change are in serve/settings.py.
"""

from __future__ import annotations

from serve.schemas.problems import too_large

DEFAULT_REASONS = 4
"""Maximum number of reasons if the body names none (US Reg B, comment 9(b)(2): more than four hardly help)."""

MAX_EVENT_LOOP_ROWS = 1_000
"""Rows of /predict that are scored on the event loop; for /score fewer, by the costs below."""

RESULT_COST, REASONS_COST, CHANGES_COST = 5, 5, 1_000
"""Time to write an applicant's result, its reasons, and what would change it, as a multiple of scoring one row."""

MAX_EVENT_LOOP_JSON_BYTES = 32_768
"""Size of a body of /score, or of an inference request without binary tensors."""

MAX_EVENT_LOOP_PREDICT_BYTES = 163_840
"""Size of a body of /predict: it holds nothing but numbers, which are decoded faster."""

MAX_EVENT_LOOP_TENSOR_BYTES, MAX_EVENT_LOOP_TENSOR_HEADER_BYTES = 262_144, 4_096
"""Size of an inference request with binary tensors of numbers, and of the JSON before them."""

MAX_EVENT_LOOP_CELLS = 2_000
"""Values that are read one by one, as for error messages: each takes some microseconds."""

MAX_EVENT_LOOP_TABLE_BYTES = 4_096
"""Size of a table as CSV: finding its dialect and reading its cells take up to a microsecond a byte."""

CHANGE_SEARCH_ROWS = 100
"""An applicant for whom changes are searched (`what_would_change`) counts as this many rows of MAX_ROWS."""


class Offload(Exception):
    """The request takes too long for the event loop; the caller repeats it in a thread."""


def check_rows(rows: int, max_rows: int, *, what_would_change: bool = False) -> None:
    """Raise HTTPProblem (413) for more rows than one request may hold."""
    maximum = max(max_rows // CHANGE_SEARCH_ROWS, 1) if what_would_change else max_rows
    if rows > maximum:
        note = " with what_would_change" if what_would_change else ""
        raise too_large("too many applicants", f"{rows:,} rows", f"{maximum:,} rows{note}")
