"""From the base to the total in points: what each field took away or gave.

Points are linear in the log-odds (points = offset − factor · log-odds), so that contributions in log-odds are points
as well: factor = double / ln 2 (Siddiqi, Credit Risk Scorecards, 2006, chapter 6). The service names the fields that
raised the risk; what the others gave together is the rest, so that the steps always add up to the total.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from client.answers import Model, Points, Result


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the field ('' for the rest of them), its points, and where the total stands before and after it."""

    field: str
    points: int
    before: int
    after: int


def base_points(model: Model) -> int:
    """The points of the base value: where everybody starts."""
    scale = model.policy.points
    factor = _factor(scale)
    return round(scale.score - factor * math.log(scale.odds) - factor * model.base_value)


def steps(result: Result, model: Model) -> Sequence[Step]:
    """The fields that raised the risk, largest first, then the rest; ends at the points of the result."""
    factor = _factor(model.policy.points)
    found, total = [], base_points(model)
    for reason in result.reasons:
        points = -round(factor * reason.contribution)
        found.append(Step(reason.field, points, total, total + points))
        total += points
    if total != result.points:
        found.append(Step("", result.points - total, total, result.points))
    return found


def _factor(scale: Points) -> float:
    return scale.double / math.log(2)
