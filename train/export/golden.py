"""Golden rows: synthetic applicants that are stored in the file with the expected answers, to verify it when loaded."""

from __future__ import annotations

import numpy as np

from model.contract import Field
from train.dataset import Matrix

N_GOLDEN_ROWS = 16
UNBOUNDED = (-1000.0, 1000.0)
"""Range of numbers without documented bounds."""


def draw_applicants(fields: list[Field], rows: int, seed: int) -> Matrix:
    """Synthetic applicants within the documented bounds, float64, shape (rows, n_fields); no real applicant is used.

    Numbers and levels are uniformly distributed. One nullable cell in five is missing; in the first row, all of them.
    """
    random = np.random.default_rng(seed)
    drawn = np.column_stack([_draw_field(field, rows, random) for field in fields])
    nullable = np.array([field.nullable for field in fields])
    is_missing = (random.random(drawn.shape) < 0.2) & nullable
    is_missing[0] = nullable
    return np.where(is_missing, np.nan, drawn)


def _draw_field(field: Field, rows: int, random: np.random.Generator) -> Matrix:
    if field.kind == "category":
        return random.integers(0, len(field.levels), rows).astype(np.float64)
    low = field.minimum if field.minimum is not None else min(UNBOUNDED[0], field.maximum or 0.0)
    high = field.maximum if field.maximum is not None else max(UNBOUNDED[1], low)
    return random.uniform(low, high, rows)


def round_cells(applicants: Matrix) -> Matrix:
    """The same rows with three significant digits, for legible metadata."""
    return np.array([[float(f"{value:.3g}") for value in row] for row in applicants])
