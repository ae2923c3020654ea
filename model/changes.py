"""Counterfactuals for a refusal: the smallest change of one field that would improve the decision.

Only fields that the card marks as changeable are tried, within their documented bounds. Every proposal has been
scored by the graph itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import UNSET, Struct, UnsetType

from model.contract import Field
from model.money import list_amounts
from model.policy import DECISIONS, Decision, Probability
from model.reasons import describe_value
from model.session import Matrix, Model

GRID_STEPS = 64
"""Values tried between an applicant's number and each bound, then again within the step that improved the decision."""

SIGNIFICANT_DIGITS = 3
"""Of proposed numbers; they are rounded away from the applicant's value."""


class Change(Struct, frozen=True, omit_defaults=True):
    """A change of one field, all others as they are, and the decision that follows.

    `expected_loss`, `expected_profit`: as in Result, after the change.
    """

    field: str
    label: str
    value: str
    to: str
    probability: Probability
    decision: Decision
    expected_loss: float | UnsetType | None = UNSET
    expected_profit: float | UnsetType | None = UNSET


class _Candidates(Struct, frozen=True):
    """Values of one field to try, the nearest to the applicant's own first; float64, shape (k,)."""

    column: int
    values: Matrix


class _Improvement(Struct, frozen=True):
    """The first candidate that improves the decision: its index among the candidates, and its scores."""

    candidates: _Candidates
    index: int
    probability: float
    decision: int


def find_changes(model: Model, row: Matrix, decision: int) -> list[Change]:
    """The smallest change of each changeable field alone that improves the decision: a number in either direction
    within its bounds, and every level of a category that improves it.

    row: float64, shape (n_fields,). The best decision comes first; empty if no single change improves it.
    """
    fields = model.contract.fields
    grids = [grid for column, field in enumerate(fields) for grid in _make_grids(column, float(row[column]), field)]
    coarse = _find_improvements(model, row, grids, decision)
    improvements = _find_improvements(model, row, [_refine(found, row, fields) for found in coarse], decision)
    improvements.sort(key=lambda found: (found.decision, found.probability))
    losses, profits = _expect(model, row, improvements)
    return [
        Change(
            field=field.name,
            label=field.label,
            value=describe_value(float(row[found.candidates.column]), field),
            to=describe_value(float(found.candidates.values[found.index]), field),
            probability=found.probability,
            decision=DECISIONS[found.decision],
            expected_loss=loss,
            expected_profit=profit,
        )
        for found, loss, profit in zip(improvements, losses, profits, strict=True)
        for field in [fields[found.candidates.column]]
    ]


_Amounts = Sequence[float | UnsetType | None]


def _expect(model: Model, row: Matrix, improvements: Sequence[_Improvement]) -> tuple[_Amounts, _Amounts]:
    """Expected loss and profit after each change, if the policy is in money."""
    money = model.contract.policy.money
    if money is None:
        unset = [UNSET] * len(improvements)
        return unset, unset
    rows = np.repeat(row[None, :], len(improvements), axis=0)
    for changed, found in zip(rows, improvements, strict=True):
        changed[found.candidates.column] = found.candidates.values[found.index]
    probability = np.array([found.probability for found in improvements])
    return list_amounts(money.expected_loss(probability, rows)), list_amounts(money.expected_profit(probability, rows))


def _make_grids(column: int, value: float, field: Field) -> list[_Candidates]:
    """Every other level, or a grid towards each bound; none for a missing number."""
    if not field.changeable or value in field.missing:
        return []
    if field.kind == "category":
        return [_Candidates(column, np.array([float(level)])) for level in range(len(field.levels)) if level != value]
    # A value outside its bounds only moves towards them; comparisons with NaN are false.
    downwards = field.minimum is not None and value > field.minimum
    upwards = field.maximum is not None and value < field.maximum
    bounds = [field.minimum] * downwards + [field.maximum] * upwards
    start = _limit(value, field)
    outside = [] if start == value else [start]
    return [
        _Candidates(column, _without_codes(np.append(outside, _make_steps(start, bound, value)), field))
        for bound in bounds
        if bound is not None
    ]


def _limit(value: float, field: Field) -> float:
    """The value, or the bound that it lies beyond."""
    if field.minimum is not None and value < field.minimum:
        return field.minimum
    return field.maximum if field.maximum is not None and value > field.maximum else value


def _refine(found: _Improvement, row: Matrix, fields: Sequence[Field]) -> _Candidates:
    """A finer grid between the last value that didn't improve the decision and the first that did."""
    column, values = found.candidates.column, found.candidates.values
    if fields[column].kind == "category":
        return found.candidates
    value = float(row[column])
    before = float(values[found.index - 1]) if found.index else _limit(value, fields[column])
    return _Candidates(column, _without_codes(_make_steps(before, float(values[found.index]), value), fields[column]))


def _make_steps(start: float, stop: float, value: float) -> Matrix:
    """Numbers from start (excluded) to stop (included) of few digits, rounded away from the applicant's value."""
    steps = np.linspace(start, stop, GRID_STEPS + 1)[1:]
    unit = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(steps), 1e-12))) - SIGNIFICANT_DIGITS + 1)
    rounded = (np.ceil if stop > value else np.floor)(steps / unit) * unit
    # "%.12g" removes the rounding error of the multiplication; stop itself may have more digits.
    clean = np.array([float(f"{number:.12g}") for number in rounded[:-1]])
    return np.append(np.clip(clean, min(start, stop), max(start, stop)), stop)


def _without_codes(values: Matrix, field: Field) -> Matrix:
    """The values that don't stand for a missing one, which no applicant can change to."""
    return values[~np.isin(values, field.missing)] if field.missing else values


def _find_improvements(model: Model, row: Matrix, grids: Sequence[_Candidates], decision: int) -> list[_Improvement]:
    """The first improvement of each grid that has one; all grids are scored in one batch."""
    if not grids:
        return []
    rows = np.repeat(row[None, :], sum(len(grid.values) for grid in grids), axis=0)
    stops = np.cumsum([len(grid.values) for grid in grids]).tolist()
    starts = [0, *stops[:-1]]
    for grid, start, stop in zip(grids, starts, stops, strict=True):
        rows[start:stop, grid.column] = grid.values
    scores = model.score(rows)
    found = []
    for grid, start, stop in zip(grids, starts, stops, strict=True):
        better = np.flatnonzero(scores.decision[start:stop] < decision)
        if better.size:
            index = int(better[0])
            at = start + index
            found.append(_Improvement(grid, index, float(scores.probability[at]), int(scores.decision[at])))
    return found
