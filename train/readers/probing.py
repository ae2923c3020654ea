"""What a fitted object itself takes: missing values, and from which number to which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from train.fitted.model import FittedModel, Input
from train.fitted.ranks import bisect
from train.fitted.steps import Matrix

EXTREME = 1e30
"""No measurement is so large, and float32, in which some libraries compute, holds it."""

BASES = (0.0, 1.0, 0.5, 1000.0, -1.0)
"""One of these is taken in every field by nearly every model; a logarithm refuses 0."""

LAST_REFUSED = (-1.0, 0.0, -5e-324)
"""By log1p, log and sqrt; other limits are searched for."""


def probe_inputs(model: FittedModel) -> tuple[Input, ...]:
    """The inputs with `nullable`, `lowest` and `highest`, as the library answers when that field alone is changed."""
    width = len(model.inputs)
    base = next((row for value in BASES if _takes(model, row := np.full(width, value))), np.zeros(width))
    # Indices of levels.
    base[[bool(one.levels) for one in model.inputs]] = 0.0
    inputs = [
        replace(one, nullable=_takes(model, _change(base, number, np.nan))) for number, one in enumerate(model.inputs)
    ]
    numbers = [number for number, one in enumerate(inputs) if not one.levels]
    extremes = [_change(base, number, value) for number in numbers for value in (-EXTREME, EXTREME)]
    if not numbers or _takes(model, np.array(extremes)) or not _takes(model, base):
        return tuple(inputs)
    for number in numbers:
        inputs[number] = _find_limits(model, base, number, inputs[number])
    return tuple(inputs)


def _takes(model: FittedModel, rows: Matrix) -> bool:
    """Whether the library gives probabilities for applicants, or for one."""
    try:
        return bool(np.isfinite(model.ask(np.atleast_2d(rows))).all())
    except (ValueError, TypeError):
        return False


def _change(base: Matrix, number: int, value: float) -> Matrix:
    row = base.copy()
    row[number] = value
    return row


def _find_limits(model: FittedModel, base: Matrix, number: int, one: Input) -> Input:
    """The input with the smallest and the largest number that the library takes."""
    inside = base[number]

    def is_refused(x: Matrix) -> npt.NDArray[np.bool_]:
        return np.array([not _takes(model, _change(base, number, value)) for value in x])

    if is_refused(np.array([-EXTREME]))[0]:
        known = [last for last in LAST_REFUSED if last < inside]
        pairs = np.array([[last, np.nextafter(last, np.inf)] for last in known])
        found = [last for last, pair in zip(known, pairs, strict=True) if is_refused(pair).tolist() == [True, False]]
        last = found[0] if found else bisect(np.array([-EXTREME]), np.array([inside]), is_refused)[0]
        one = replace(one, lowest=float(np.nextafter(last, np.inf)))
    if is_refused(np.array([EXTREME]))[0]:
        one = replace(one, highest=float(bisect(np.array([inside]), np.array([EXTREME]), lambda x: ~is_refused(x))[0]))
    return one
