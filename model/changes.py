"""What would change the decision: the smallest change of one field that turns a refusal.

Only fields the card marks changeable are tried, within their documented bounds; a change is proposed
only after the graph itself has decided on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from model.contract import Field
from model.policy import DECISIONS, Probability
from model.reasons import describe_value
from model.session import Matrix, Model

STEPS = 64
"""Values tried between an applicant's number and each bound, then again within the step that turned."""

DIGITS = 3
"""Proposed numbers have this many significant digits, rounded away from the applicant's value."""


class Change(Struct, frozen=True):
    """One field changed, all others as they are, and the decision that follows."""

    field: str
    label: str
    value: str
    to: str
    probability: Probability
    decision: str


class _Trial(Struct, frozen=True):
    """Values of one field to try, the nearest to the applicant's own first; float64, shape (k,)."""

    column: int
    values: Matrix


class _Turn(Struct, frozen=True):
    """The first value of a trial that gives a better decision, its place in the trial, and the answer to it."""

    trial: _Trial
    place: int
    probability: float
    decision: int


def find_changes(model: Model, row: Matrix, decision: int) -> list[Change]:
    """The smallest change of each changeable field alone, in either direction, that gives a better decision.

    row: float64, shape (n_fields,). The best decision comes first; empty if no single change turns it.
    """
    fields = model.contract.fields
    trials = [trial for column, field in enumerate(fields) for trial in _trials(column, float(row[column]), field)]
    coarse = _turn(model, row, trials, decision)
    turns = _turn(model, row, [_refine(turn, row, fields) for turn in coarse], decision)
    return [
        Change(
            field=field.name,
            label=field.label,
            value=describe_value(float(row[turn.trial.column]), field),
            to=describe_value(float(turn.trial.values[turn.place]), field),
            probability=turn.probability,
            decision=DECISIONS[turn.decision],
        )
        for turn in sorted(turns, key=lambda turn: (turn.decision, turn.probability))
        for field in [fields[turn.trial.column]]
    ]


def _trials(column: int, value: float, field: Field) -> list[_Trial]:
    """What to try of a field: every other level, or steps towards each bound; nothing for a number that is missing."""
    if not field.changeable:
        return []
    if field.kind == "category":
        return [_Trial(column, np.array([float(level)])) for level in range(len(field.levels)) if level != value]
    # From outside the bounds the way leads in, never further out; a NaN is on neither side.
    downwards = field.minimum is not None and value > field.minimum
    upwards = field.maximum is not None and value < field.maximum
    bounds = [field.minimum] * downwards + [field.maximum] * upwards
    return [_Trial(column, _steps(value, bound, value)) for bound in bounds if bound is not None]


def _refine(turn: _Turn, row: Matrix, fields: Sequence[Field]) -> _Trial:
    """The values between the last that didn't turn the decision and the first that did; a level stays as it is."""
    column, values = turn.trial.column, turn.trial.values
    if fields[column].kind == "category":
        return turn.trial
    value = float(row[column])
    before = float(values[turn.place - 1]) if turn.place else value
    return _Trial(column, _steps(before, float(values[turn.place]), value))


def _steps(start: float, stop: float, value: float) -> Matrix:
    """Numbers from start (without) to stop (with), of few digits, rounded away from the applicant's value."""
    steps = np.linspace(start, stop, STEPS + 1)[1:]
    unit = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(steps), 1e-12))) - DIGITS + 1)
    rounded = (np.ceil if stop > value else np.floor)(steps / unit) * unit
    # Multiplying left dust behind the last digit, which "%.12g" takes away; stop itself may have more digits.
    clean = np.array([float(f"{number:.12g}") for number in rounded[:-1]])
    return np.append(np.clip(clean, min(start, stop), max(start, stop)), stop)


def _turn(model: Model, row: Matrix, trials: Sequence[_Trial], decision: int) -> list[_Turn]:
    """Of each trial the first value that gives a better decision, all in one run; trials without one are left out."""
    if not trials:
        return []
    rows = np.repeat(row[None, :], sum(len(trial.values) for trial in trials), axis=0)
    stops = np.cumsum([len(trial.values) for trial in trials]).tolist()
    starts = [0, *stops[:-1]]
    for trial, start, stop in zip(trials, starts, stops, strict=True):
        rows[start:stop, trial.column] = trial.values
    scores = model.score(rows)
    turns = []
    for trial, start, stop in zip(trials, starts, stops, strict=True):
        better = np.flatnonzero(scores.decision[start:stop] < decision)
        if better.size:
            at = start + int(better[0])
            turns.append(_Turn(trial, at - start, float(scores.probability[at]), int(scores.decision[at])))
    return turns
