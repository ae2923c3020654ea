"""Bodies that are answered with 200, for the document at /openapi.json and the page that sends them: one applicant."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from serve.runtime import Runtime
from serve.schemas.faults import ROWS_OF_CHANGES
from serve.schemas.requests import MOST_REASONS

ID = "A-17"


def score(runtime: Runtime) -> dict[str, Any]:
    """For POST /score, by name."""
    has_room = runtime.schemas.most_rows >= ROWS_OF_CHANGES
    return {"applicants": [_named(runtime)], "reasons": MOST_REASONS, "what_would_change": has_room}


def table(runtime: Runtime) -> str:
    """The same as CSV."""
    named = _named(runtime)
    out = io.StringIO()
    csv.writer(out).writerows([list(named), list(named.values())])
    return out.getvalue()


def predict(runtime: Runtime) -> dict[str, Any]:
    """For POST /predict."""
    return {"data": [typical_row(runtime)]}


def infer(runtime: Runtime) -> dict[str, Any]:
    """For inference, as one matrix."""
    row = typical_row(runtime)
    tensor = {"name": "applicants", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return {"inputs": [tensor], "outputs": [{"name": "probability"}, {"name": "decision"}]}


def typical_row(runtime: Runtime) -> Sequence[float | None]:
    """The golden row with the fewest gaps: it shows what each field looks like."""
    return min(runtime.model.contract.golden.applicants, key=lambda row: row.count(None))


def name_values(row: Sequence[float | None], runtime: Runtime) -> dict[str, Any]:
    """A row of the graph as an applicant by name."""
    return {
        field.name: field.levels[int(value)] if value is not None and field.kind == "category" else value
        for value, field in zip(row, runtime.fields, strict=True)
    }


def _named(runtime: Runtime) -> dict[str, Any]:
    # A field named id is a field, and its value stands here then.
    return {"id": ID} | name_values(typical_row(runtime), runtime)
