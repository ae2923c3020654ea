"""The answer for one applicant, and how it follows from the scores of the graph.

The JSON, CSV and OpenAPI of POST /score and the columns of `python -m score` follow `Result`. To add a scalar
attribute, declare it between `points` and `reasons` and compute it in `score_columns`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

import numpy.typing as npt
from msgspec import Struct

from model.changes import Change, find_changes
from model.policy import DECISIONS, Decision, Policy, Probability
from model.reasons import FieldWarning, Reason, find_warnings, name_reasons
from model.session import Matrix, Model, Scores


class Result(Struct, frozen=True, omit_defaults=True):
    """The answer for one applicant.

    `id`: as given, or null. `probability`: of default. `what_would_change`: only for a refusal, if asked for.
    `decision_id`: under which the decision is on record, where decisions are recorded.
    """

    id: str | int | None
    probability: Probability
    decision: Decision
    points: int
    reasons: list[Reason]
    warnings: list[FieldWarning]
    what_would_change: list[Change] | None = None
    decision_id: str | None = None


SCALARS: dict[str, Any] = {
    name: kind
    for name, kind in get_type_hints(Result).items()
    if name not in ("id", "reasons", "warnings", "what_would_change", "decision_id")
}
"""Scalar attributes of `Result`, in order: name → float, int, bool, or a Literal of words."""

WORDS: dict[str, tuple[str, ...]] = {name: words for name, kind in SCALARS.items() if (words := get_args(kind))}
"""Scalar attributes that are words; their columns hold indices into these."""


def score_columns(probability: Matrix, decision: npt.NDArray[Any], policy: Policy) -> dict[str, npt.NDArray[Any]]:
    """One array, shape (n,), for each of SCALARS: float64, int64, bool, or for a word its index in WORDS.

    probability: float64, shape (n,), of default, finite; decision: int64, shape (n,), index into DECISIONS.
    """
    return {"probability": probability, "decision": decision, "points": policy.score_points(probability)}


def make_results(
    model: Model,
    applicants: Matrix,
    scores: Scores,
    *,
    ids: Sequence[str | int | None],
    max_reasons: int,
    what_would_change: bool,
    decision_ids: Sequence[str] | None = None,
) -> list[Result]:
    """The answers for applicants, float64, shape (n, n_fields), from their scores.

    The scores must have contributions if `max_reasons` is not 0. Raises ValueError for a probability that is NaN.
    """
    if any(map(math.isnan, scores.probability.tolist())):
        raise ValueError("the model gives a probability of NaN, expected 0 to 1; train or import it again")
    columns = score_columns(scores.probability, scores.decision, model.contract.policy)
    scalars = [_to_list(columns[name], WORDS.get(name)) for name in SCALARS]
    fields = model.contract.fields
    results = []
    for number, values in enumerate(zip(*scalars, strict=True)):
        row = applicants[number]
        reasons = name_reasons(row, scores.contributions[number], fields, max_reasons) if max_reasons else []
        changes = None
        if what_would_change and DECISIONS[decision := scores.decision.item(number)] == "refuse":
            changes = find_changes(model, row, decision)
        decision_id = None if decision_ids is None else decision_ids[number]
        attributes = [ids[number], *values, reasons, find_warnings(row, fields), changes, decision_id]
        results.append(Result(*attributes))
    return results


def _to_list(column: npt.NDArray[Any], words: tuple[str, ...] | None) -> list[Any]:
    return column.tolist() if words is None else [words[index] for index in column.tolist()]
