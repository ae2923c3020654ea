"""Check of a scorecard's points table at load: it is complete, on the scale of the policy, and what the graph computes.

A scorecard is a sum over fields and pairs, so that an applicant for each bin and each cell of a pair shows all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np

from model.contract import EXPORT_AGAIN, Contract, ContractError, Field
from model.missing import blank_codes
from model.scorecard import Scorecard, ScorecardField, sum_points
from model.session import Matrix, Model

LOG_ODDS_TOLERANCE = 1e-6
"""Maximum difference of table and graph; a point is ln 2 / 20 on the default scale."""

MAX_POINTS = 2**52
"""Of one bin, so that they and offset are added exactly."""


def check_scorecard(model: Model) -> None:
    """Raise ContractError unless the points table, if there is one, fits contract and graph."""
    contract, card = model.contract, model.contract.scorecard
    if card is None:
        return
    fault = find_fault(card, contract)
    if fault is not None:
        raise ContractError(f"the points table of the model file {fault}; don't use it: {EXPORT_AGAIN}")
    first = np.array(contract.golden.applicants[0], dtype=np.float64)
    applicants = draw_all_bins(card, first)
    probability = model.score(applicants).probability
    points = sum_points(card, blank_codes(applicants, contract.fields))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(probability) - np.log1p(-probability)
        far = ~(np.abs((card.offset - points) / card.factor - log_odds) <= LOG_ODDS_TOLERANCE)
    if far.any():
        row = int(far.argmax())
        changed = [
            f"{field.name} = {value:g}"
            for field, value, other in zip(contract.fields, applicants[row], first, strict=True)
            if value != other and not (math.isnan(value) and math.isnan(other))
        ]
        raise ContractError(
            f"the points table of the model file gives the first golden row{' with ' * bool(changed)}"
            f"{' and '.join(changed)} {points[row]} points, and its graph a probability of {probability[row]:.6g}, "
            f"which is {card.offset - card.factor * log_odds[row]:.6g} points; one of them was edited, don't use it: "
            f"{EXPORT_AGAIN}"
        )


def find_fault(card: Scorecard, contract: Contract) -> str | None:
    """The first fault of a table by itself, as the end of a sentence, or None."""
    scale = contract.policy.points
    offset = scale.score - scale.factor * math.log(scale.odds)
    if not math.isclose(card.factor, scale.factor) or not math.isclose(card.offset, offset, abs_tol=1e-6):
        return (
            f"has factor {card.factor:g} and offset {card.offset:g}, expected those of the policy's points: "
            f"{scale.factor:g} and {offset:g}"
        )
    tables = [*(field.points for field in card.fields), *chain.from_iterable(pair.points for pair in card.pairs)]
    largest = max(map(abs, (card.base, *chain.from_iterable(tables))))
    if largest > MAX_POINTS:
        return f"has {largest} points, expected at most {MAX_POINTS}"
    names = [field.field for field in card.fields]
    if not names or len(set(names)) < len(names):
        return f"has the fields {names}, expected at least one, each once"
    for field in card.fields:
        fault = _find_field_fault(field, contract.fields)
        if fault is not None:
            return f"has the field {field.field!r} {fault}"
    for pair in card.pairs:
        if len(set(pair.fields)) < 2 or not all(0 <= number < len(names) for number in pair.fields):
            return f"has a pair of the fields {pair.fields}, expected two of its {len(names)} fields"
        rows, columns = (len(card.fields[number].points) for number in pair.fields)
        if [len(row) for row in pair.points] != [columns] * rows:
            both = " and ".join(names[number] for number in pair.fields)
            return f"has a pair of {both} whose points aren't {rows} rows of {columns}"
    return None


def _find_field_fault(field: ScorecardField, fields: Sequence[Field]) -> str | None:
    if not 0 <= field.column < len(fields) or fields[field.column].name != field.field:
        return f"in column {field.column}, which isn't that field"
    levels = len(fields[field.column].levels)
    if levels:
        if field.edges or sorted(chain.from_iterable(field.groups)) != list(range(levels)) or () in field.groups:
            return f"with the groups {field.groups}, expected each of its {levels} levels in one group"
    elif (
        field.groups
        or not all(math.isfinite(edge) for edge in field.edges)
        or any(low >= high for low, high in pairwise(field.edges))
    ):
        return f"with the edges {field.edges}, expected finite numbers that ascend"
    expected = (len(field.groups) or len(field.edges) + 1) + 1
    if not len(field.points) == len(field.facts) == expected:
        return (
            f"with {len(field.points)} points and {len(field.facts)} facts, expected {expected}: one for each bin and "
            "for missing values"
        )
    return None


def draw_all_bins(card: Scorecard, first: Matrix) -> Matrix:
    """Applicant `first`, float64, shape (n_fields,), and it with a value in each bin and in each cell of a pair."""
    values = [_list_values(field) for field in card.fields]
    changes = [np.column_stack([own]) for own in values]
    columns = [[field.column] for field in card.fields]
    for pair in card.pairs:
        changes.append(np.stack(np.meshgrid(*(values[number] for number in pair.fields)), axis=-1).reshape(-1, 2))
        columns.append([card.fields[number].column for number in pair.fields])
    made = [first[None]]
    for change, places in zip(changes, columns, strict=True):
        rows = np.tile(first, (len(change), 1))
        rows[:, places] = change
        made.append(rows)
    return np.concatenate(made)


def _list_values(field: ScorecardField) -> Matrix:
    """Both ends of each bin of a number, or each level; and missing."""
    if field.groups:
        return np.array([*chain.from_iterable(field.groups), np.nan], dtype=np.float64)
    edges = np.array(field.edges or (0.0,), dtype=np.float64)
    return np.concatenate([np.nextafter(edges, -np.inf), edges, [np.nan]])
