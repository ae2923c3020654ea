"""Request bodies for tests: applicants as JSON, CSV and tensors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.contract import Field
from model.session import Matrix


def to_json(matrix: Matrix) -> list[list[float | None]]:
    """Rows of the matrix as JSON vectors, null where a value is missing."""
    return [[None if np.isnan(cell) else cell for cell in row] for row in matrix.tolist()]


def name_values(row: Sequence[float], fields: Sequence[Field]) -> dict[str, Any]:
    """One row of the matrix as an applicant by name."""
    return {
        field.name: None if np.isnan(cell) else field.levels[int(cell)] if field.levels else cell
        for cell, field in zip(row, fields, strict=True)
    }


def to_csv(applicants: Sequence[dict[str, Any]], delimiter: str = ",") -> bytes:
    """Applicants by name as CSV; the first column is an id, unless a field has that name."""
    out = io.StringIO()
    table = csv.DictWriter(out, dict.fromkeys(["id", *applicants[0]]), restval="A-17", delimiter=delimiter)
    table.writeheader()
    table.writerows(applicants)
    return out.getvalue().encode()


def to_matrix_tensor(matrix: Matrix) -> dict[str, Any]:
    """An inference request with one matrix."""
    tensor = {"name": "applicants", "shape": list(matrix.shape), "datatype": "FP64", "data": to_json(matrix)}
    return {"inputs": [tensor]}


def to_field_tensors(applicants: Sequence[dict[str, Any]], fields: Sequence[Field]) -> dict[str, Any]:
    """An inference request with one tensor per field, levels as texts."""
    return {
        "inputs": [
            {
                "name": field.name,
                "shape": [len(applicants)],
                "datatype": "BYTES" if field.levels else "FP64",
                "data": [applicant[field.name] for applicant in applicants],
            }
            for field in fields
        ]
    }


def pad(body: dict[str, Any], size: int) -> bytes:
    """A body of exactly `size` bytes: JSON, then spaces."""
    content = json.dumps(body).encode()
    assert len(content) <= size
    return content.ljust(size)
