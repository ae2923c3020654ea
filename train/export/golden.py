"""Golden rows: synthetic applicants that are stored in the file with the expected answers, to verify it when loaded."""

from __future__ import annotations

import numpy as np

from model.contract import Field
from train.dataset import Matrix

N_GOLDEN_ROWS = 16
N_RULE_BASES = 64
"""Rows that those at the limits of rules are chosen from."""

UNBOUNDED = (-1000.0, 1000.0)
"""Range of numbers without documented bounds."""


def draw_applicants(fields: list[Field], rows: int, seed: int) -> Matrix:
    """Synthetic applicants, float64, shape (rows, n_fields); no real applicant is used.

    Numbers and levels are uniformly distributed, within the documented bounds and the limits of the field. One nullable
    cell in five is missing; in the first row, all of them.
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
    lowest, highest = field.limits
    low = field.minimum if field.minimum is not None else min(UNBOUNDED[0], field.maximum or 0.0)
    low = min(max(low, lowest), highest)
    high = field.maximum if field.maximum is not None else max(UNBOUNDED[1], low)
    return random.uniform(low, max(low, min(high, highest)), rows)


def place_codes(applicants: Matrix, fields: list[Field]) -> Matrix:
    """The same rows with each number that stands for a missing value in one of them, from the second row on."""
    placed = applicants.copy()
    codes = [(column, code) for column, field in enumerate(fields) for code in field.missing]
    for number, (column, code) in enumerate(codes):
        placed[1 + number % (len(placed) - 1), column] = code
    return placed


def round_cells(applicants: Matrix, fields: list[Field]) -> Matrix:
    """The same rows with three significant digits, for legible metadata, unless that is beyond a limit."""
    rounded = np.array([[float(f"{value:.3g}") for value in row] for row in applicants])
    lowest, highest = np.array([field.limits for field in fields]).T
    within: Matrix = np.clip(rounded, lowest, highest)
    return within
