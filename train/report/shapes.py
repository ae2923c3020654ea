"""What the model does with each field: how much it moves the risk, in which direction, over which applicants.

Asked of the exported graph itself, so that the pictures show what is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.contract import Field
from model.session import Model
from train.bins import FEWEST
from train.card import CardField
from train.dataset import Matrix

EXPLAINED_ROWS = 4_000
STEPS = 20
GRID_ROWS = 200
GRID_STEPS = 50
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Point:
    """Applicants of about one value: their mean contribution, and the span of 80 % of them, in log-odds.

    value: the middle of a range of numbers, or the number of a level. width: of the range; 0 for a level.
    """

    name: str
    value: float
    width: float
    share: float
    contribution: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shape:
    """One field: importance is its mean |contribution|; points cover its values, missing is apart."""

    field: Field
    importance: float
    points: tuple[Point, ...]
    missing: Point | None


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction of risk that the card states: the share of steps on a grid that go that way or stay."""

    label: str
    risk: str
    steps: int
    holds: float


def measure_shapes(model: Model, applicants: Matrix, seed: int) -> tuple[Shape, ...]:
    """The shapes of all fields over a sample of applicants, float64, (n, n_fields); the most important first."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(applicants))[:EXPLAINED_ROWS])
    some = np.ascontiguousarray(applicants[rows])
    contributions = model.score(some, explain=True).contributions
    shapes = [
        _shape(field, some[:, column], contributions[:, column]) for column, field in enumerate(model.contract.fields)
    ]
    return tuple(sorted(shapes, key=lambda shape: -shape.importance))


def check_directions(
    model: Model, applicants: Matrix, fields: Mapping[str, CardField], seed: int
) -> tuple[Direction, ...]:
    """Hold each direction of risk in the card against the graph, on a grid of values for a sample of applicants."""
    rows = np.random.default_rng(seed).permutation(len(applicants))[:GRID_ROWS]
    found = []
    for column, (field, values) in enumerate(zip(model.contract.fields, applicants.T, strict=True)):
        risk = fields[field.name].risk
        if risk is not None:
            grid = _grid(values, field)
            asked = np.repeat(applicants[rows], len(grid), axis=0)
            asked[:, column] = np.tile(grid, len(rows))
            probability = model.score(asked).probability.reshape(len(rows), len(grid))
            steps = np.diff(probability, axis=1) * (1 if risk == "increases" else -1)
            found.append(Direction(field.label, risk, steps.size, float((steps >= -ROUNDING).mean())))
    return tuple(found)


def _grid(values: Matrix, field: Field) -> Matrix:
    """Values to walk through: from bound to bound in even steps, and through the quantiles of those there are."""
    present = values[~np.isnan(values)]
    ends = [bound for bound in (field.minimum, field.maximum) if bound is not None]
    even = np.linspace(min([*ends, present.min()]), max([*ends, present.max()]), GRID_STEPS)
    return np.unique(np.concatenate([even, np.quantile(present, np.linspace(0, 1, GRID_STEPS))]))


def _shape(field: Field, values: Matrix, contributions: Matrix) -> Shape:
    is_missing = np.isnan(values)
    if field.kind == "category":
        parts = [(name, float(level), 0.0, values == level) for level, name in enumerate(field.levels)]
    else:
        parts = _ranges(values)
    points = [
        _point(name, value, width, contributions[here], len(values))
        for name, value, width, here in parts
        if here.sum() >= FEWEST
    ]
    missing = None
    if is_missing.sum() >= FEWEST:
        missing = _point("missing", np.nan, 0.0, contributions[is_missing], len(values))
    return Shape(field, float(np.abs(contributions).mean()), tuple(points), missing)


def _ranges(values: Matrix) -> list[tuple[str, float, float, Matrix]]:
    """Even ranges between the first and the last hundredth, so that one fortune doesn't squeeze all others."""
    present = values[~np.isnan(values)]
    if not len(present):
        return []
    low, high = np.quantile(present, [0.01, 0.99])
    if low == high:
        return [(f"{low:g}", float(low), 0.0, values == low)]
    distinct = np.unique(present[(present >= low) & (present <= high)])
    if len(distinct) <= STEPS:
        # Quantiles lie between values: there may be only one between them.
        width = float(np.diff(distinct).min(initial=high - low))
        return [(f"{value:g}", float(value), width, values == value) for value in distinct]
    edges = np.linspace(low, high, STEPS + 1)
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, STEPS - 1)
    is_inside = (values >= low) & (values <= high)
    return [
        (
            f"{edges[place]:.4g} – {edges[place + 1]:.4g}",
            float((edges[place] + edges[place + 1]) / 2),
            float(edges[1] - edges[0]),
            is_inside & (places == place),
        )
        for place in range(STEPS)
    ]


def _point(name: str, value: float, width: float, contributions: Matrix, rows: int) -> Point:
    low, high = np.quantile(contributions, [0.1, 0.9])
    return Point(name, value, width, len(contributions) / rows, float(contributions.mean()), float(low), float(high))
