"""Bodies that are answered with 200, for the document at /openapi.json and the page that sends them: one applicant."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from serve.bodies import MOST_REASONS
from serve.served import Served

ID = "A-17"


def score(served: Served) -> dict[str, Any]:
    """For POST /score, by name."""
    return {"applicants": [_named(served)], "reasons": MOST_REASONS, "what_would_change": True}


def sheet(served: Served) -> str:
    """The same as CSV."""
    named = _named(served)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(named), list(named.values())])
    return out.getvalue()


def predict(served: Served) -> dict[str, Any]:
    """For POST /predict."""
    return {"data": [_row(served)]}


def infer(served: Served) -> dict[str, Any]:
    """For inference, as one matrix."""
    row = _row(served)
    tensor = {"name": "applicants", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return {"inputs": [tensor], "outputs": [{"name": "probability"}, {"name": "decision"}]}


def _row(served: Served) -> Sequence[float | None]:
    """The golden row with the fewest gaps: it shows what each field looks like."""
    return min(served.model.contract.golden.applicants, key=lambda row: row.count(None))


def _named(served: Served) -> dict[str, Any]:
    # A field named id is a field, and its value stands here then.
    return {"id": ID} | {
        field.name: field.levels[int(value)] if value is not None and field.kind == "category" else value
        for value, field in zip(_row(served), served.fields, strict=True)
    }
