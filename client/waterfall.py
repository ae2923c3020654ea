"""Waterfall from the base points to the points of a result: what each field added or took away.

Points are linear in the log-odds, so that a contribution in log-odds converts to points. The service names only fields
that raised the risk; the sum of all others is the last step, so that the steps always add up to the points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.responses import Model, Result


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the field ('' for all other fields together), its points, and the total before and after it."""

    field: str
    points: int
    before: int
    after: int


def steps(result: Result, model: Model, base: int) -> Sequence[Step]:
    """From `base`, the base points of the model: the fields that raised the risk, largest first, then all others."""
    found, total = [], base
    for reason in result.reasons:
        if reason.rule is not None:
            continue
        points = -round(model.points_per_log_odds * reason.contribution)
        found.append(Step(reason.field, points, total, total + points))
        total += points
    if total != result.points:
        found.append(Step("", result.points - total, total, result.points))
    return found
