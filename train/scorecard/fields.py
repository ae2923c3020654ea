"""What a scorecard is told about a field before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.card import CardField
from train.preprocessing import DIRECTIONS


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One column of the applicants, as its card describes it.

    `n_levels`: of a category, 0 for a number. `direction`: 1 if the risk increases with the number, −1 if it decreases,
    0 if it may do both. `edges`, `groups`: bins that a person has fixed, as in model/scorecard.py; None if none are.
    """

    name: str
    n_levels: int = 0
    direction: int = 0
    edges: tuple[float, ...] | None = None
    groups: tuple[tuple[int, ...], ...] | None = None


def make_rules(fields: Sequence[CardField], names: Sequence[str] = ()) -> tuple[FieldRule, ...]:
    """What a card's inputs say; `names`: theirs, if they are known, else their labels name them."""
    return tuple(
        FieldRule(
            name=name,
            n_levels=len(field.levels) if field.kind == "category" else 0,
            direction=DIRECTIONS[field.risk],
            edges=field.binning.edges if field.binning and field.kind == "number" else None,
            groups=tuple(tuple(map(field.levels.index, group)) for group in field.binning.groups)
            if field.binning and field.kind == "category"
            else None,
        )
        for field, name in zip(fields, names or [field.label for field in fields], strict=True)
    )
