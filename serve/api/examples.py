"""Example bodies of one applicant, which are answered with 200: shown by /openapi.json and /docs, and self-tested."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from serve.runtime import Runtime
from serve.schemas.limits import CHANGE_SEARCH_ROWS, DEFAULT_REASONS

ID = "A-17"


def score(runtime: Runtime) -> dict[str, Any]:
    """POST /score, an applicant by name."""
    allows_changes = runtime.schemas.max_rows >= CHANGE_SEARCH_ROWS
    return {"applicants": [_named(runtime)], "reasons": DEFAULT_REASONS, "what_would_change": allows_changes}


def table(runtime: Runtime) -> str:
    """POST /score as CSV."""
    named = _named(runtime)
    out = io.StringIO()
    csv.writer(out).writerows([list(named), list(named.values())])
    return out.getvalue()


def predict(runtime: Runtime) -> dict[str, Any]:
    """POST /predict."""
    return {"data": [typical_row(runtime)]}


def predict_shapes(runtime: Runtime) -> dict[str, list[Any]]:
    """POST /predict, in each other shape: the name of its type in /openapi.json → bodies."""
    named = name_values(typical_row(runtime), runtime)
    split = {"columns": list(named), "data": [list(named.values())]}
    return {
        "PredictApplicants": [[named], [typical_row(runtime)]],
        "PredictRecord": [named],
        "PredictColumns": [{name: [value] for name, value in named.items()}],
        "PredictSplit": [split],
        "PredictMember": [{"dataframe_split": split}, {"dataframe_records": [named]}, {"instances": [named]}],
    }


def infer(runtime: Runtime) -> dict[str, Any]:
    """POST /v2/models/{name}/infer, as one matrix."""
    row = typical_row(runtime)
    tensor = {"name": "applicants", "shape": [1, len(row)], "datatype": "FP64", "data": row}
    return {"inputs": [tensor], "outputs": [{"name": "probability"}, {"name": "decision"}]}


def review(runtime: Runtime) -> dict[str, Any]:
    """POST /v1/decisions/{id}/review."""
    return {"decision": "accept", "reason": "Income from a second job", "who": "J. Officer", "note": ""}


def outcomes(runtime: Runtime) -> dict[str, Any]:
    """POST /v1/outcomes, of today; the example of POST /score makes a decision that it belongs to."""
    today = datetime.now(UTC).date().isoformat()
    return {"outcomes": [{"applicant": ID, "date": today, "defaulted": True, "amount_lost": 800}]}


def typical_row(runtime: Runtime) -> Sequence[float | None]:
    """The golden row with the fewest missing values."""
    return min(runtime.model.contract.golden.applicants, key=lambda row: row.count(None))


def name_values(row: Sequence[float | None], runtime: Runtime) -> dict[str, Any]:
    """A row of the matrix as an applicant by name."""
    return {
        field.name: field.levels[int(value)] if value is not None and field.kind == "category" else value
        for value, field in zip(row, runtime.fields, strict=True)
    }


def _named(runtime: Runtime) -> dict[str, Any]:
    # If the model has a field named id, its value replaces ID.
    return {"id": ID} | name_values(typical_row(runtime), runtime)
