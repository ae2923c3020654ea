"""Effect of each field: importance, shape function and monotonicity, computed by the exported graph that is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.bins import MIN_COUNT
from model.contract import Field
from model.missing import blank_codes
from model.session import Model
from train.card import CardField
from train.dataset import Matrix
from train.weights import Flags, select, weighted_mean, weighted_quantile

MAX_ROWS = 4_000
"""Applicants whose contributions are computed."""

MAX_RANGES = 20
"""Ranges that the values of a number are divided into."""

MAX_GRID_ROWS, N_GRID_VALUES = 200, 50
"""Applicants of the monotonicity check, and evenly spaced values (and as many quantiles) tried for each."""

ROUNDING = 1e-12
"""A step of the probability smaller than this in the wrong direction is float64 rounding."""


@dataclass(frozen=True, slots=True)
class Point:
    """Contributions of the applicants whose value lies in one range, in log-odds.

    value: centre of the range, or index of the level. width: of the range; 0 for a level. share: of all applicants.
    contribution: mean. low, high: 10th and 90th percentile.
    """

    name: str
    value: float
    width: float
    share: float
    contribution: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FieldEffect:
    """The effect of one field on the log-odds: its shape function.

    importance: mean |contribution|. points: one for each range or level with at least 20 applicants. missing: the
    applicants without a value, None if fewer than 20.
    """

    field: Field
    importance: float
    points: tuple[Point, ...]
    missing: Point | None


@dataclass(frozen=True, slots=True)
class Direction:
    """Monotonicity of one field: the expected direction of risk, and the share of steps on a grid that comply."""

    label: str
    risk: str
    steps: int
    compliance: float


def measure_effects(
    model: Model, applicants: Matrix, seed: int, weight: Matrix | None = None
) -> tuple[FieldEffect, ...]:
    """The shape functions of all fields on a sample of applicants, float64, (n, n_fields); the most important first.

    weight: float64, (n,).
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(applicants))[:MAX_ROWS])
    some = np.ascontiguousarray(blank_codes(applicants[rows], model.contract.fields))
    contributions = model.score(some, explain=True).contributions
    effects = [
        _measure_effect(field, some[:, column], contributions[:, column], select(weight, rows))
        for column, field in enumerate(model.contract.fields)
    ]
    return tuple(sorted(effects, key=lambda effect: -effect.importance))


def check_directions(
    model: Model, applicants: Matrix, fields: Mapping[str, CardField], seed: int
) -> tuple[Direction, ...]:
    """Check each direction of risk in the card on a grid of values; applicants: float64, shape (n, n_fields)."""
    rows = np.random.default_rng(seed).permutation(len(applicants))[:MAX_GRID_ROWS]
    applicants = blank_codes(applicants, model.contract.fields)
    directions = []
    for column, (field, values) in enumerate(zip(model.contract.fields, applicants.T, strict=True)):
        risk, grid = fields[field.name].risk, _grid(values, field)
        if risk is not None and len(grid) > 1:
            variants = np.repeat(applicants[rows], len(grid), axis=0)
            variants[:, column] = np.tile(grid, len(rows))
            probability = model.score(variants).probability.reshape(len(rows), len(grid))
            steps = np.diff(probability, axis=1) * (1 if risk == "increases" else -1)
            directions.append(Direction(field.label, risk, steps.size, float((steps >= -ROUNDING).mean())))
    return tuple(directions)


def _grid(values: Matrix, field: Field) -> Matrix:
    """Ascending values: evenly spaced between the documented bounds, and the quantiles of the present values.

    Empty if no value is present.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return present
    ends = [bound for bound in (field.minimum, field.maximum) if bound is not None]
    even = np.linspace(min([*ends, present.min()]), max([*ends, present.max()]), N_GRID_VALUES)
    return np.unique(np.concatenate([even, np.quantile(present, np.linspace(0, 1, N_GRID_VALUES))]))


def _measure_effect(field: Field, values: Matrix, contributions: Matrix, weight: Matrix | None) -> FieldEffect:
    is_missing = np.isnan(values)
    if field.kind == "category":
        parts = [(name, float(level), 0.0, values == level) for level, name in enumerate(field.levels)]
    else:
        parts = _ranges(values, weight)
    points = [
        _point(name, value, width, contributions, here, weight)
        for name, value, width, here in parts
        if here.sum() >= MIN_COUNT
    ]
    missing = None
    if is_missing.sum() >= MIN_COUNT:
        missing = _point("missing", np.nan, 0.0, contributions, is_missing, weight)
    return FieldEffect(field, weighted_mean(np.abs(contributions), weight), tuple(points), missing)


def _ranges(values: Matrix, weight: Matrix | None) -> list[tuple[str, float, float, Flags]]:
    """Ranges of equal width from the 1st to the 99th percentile: (name, centre, width, whether each row is in it).

    Up to MAX_RANGES distinct values are one range each. Outliers are left out, since they would widen the axis.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return []
    low, high = weighted_quantile(present, [0.01, 0.99], select(weight, ~np.isnan(values)))
    if low == high:
        return [(f"{low:g}", float(low), 0.0, values == low)]
    distinct = np.unique(present[(present >= low) & (present <= high)])
    if len(distinct) <= MAX_RANGES:
        # Quantiles interpolate, so a single value may lie between them.
        width = float(np.diff(distinct).min(initial=high - low))
        return [(f"{value:g}", float(value), width, values == value) for value in distinct]
    edges = np.linspace(low, high, MAX_RANGES + 1)
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, MAX_RANGES - 1)
    is_inside = (values >= low) & (values <= high)
    return [
        (
            f"{edges[place]:.4g} – {edges[place + 1]:.4g}",
            float((edges[place] + edges[place + 1]) / 2),
            float(edges[1] - edges[0]),
            is_inside & (places == place),
        )
        for place in range(MAX_RANGES)
    ]


def _point(name: str, value: float, width: float, contributions: Matrix, rows: Flags, weight: Matrix | None) -> Point:
    here, heavy = contributions[rows], select(weight, rows)
    low, high = weighted_quantile(here, [0.1, 0.9], heavy)
    return Point(name, value, width, weighted_mean(rows, weight), weighted_mean(here, heavy), float(low), float(high))
