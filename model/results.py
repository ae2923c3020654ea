"""The answer for one applicant, and how it follows from the scores of the graph.

The JSON, CSV and OpenAPI of POST /score and the columns of `python -m score` follow `Result`. To add a scalar
attribute, declare it between `points` and `reasons` and compute it in `score_columns`. What only some policies give has
the default UNSET, and is absent from the answers of all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

import numpy.typing as npt
from msgspec import UNSET, Struct, UnsetType

from model.changes import Change, find_changes
from model.money import list_amounts
from model.policy import DECISIONS, Decision, Policy, Probability
from model.reasons import FieldWarning, Reason, find_warnings, name_reasons
from model.rule_words import name_rules
from model.session import Matrix, Model, Scores


class Result(Struct, frozen=True, omit_defaults=True):
    """The answer for one applicant.

    `id`: as given, or null. `probability`: of default. `what_would_change`: only for a refusal, if asked for.
    `decision_id`: under which the decision is on record, where decisions are recorded. `expected_loss`,
    `expected_profit`: of accepting the applicant, whatever the decision, only where the policy is in money; null where
    the exposure or the margin is unknown. `rules`: names of those that decided, only where the policy has rules.
    """

    id: str | int | None
    probability: Probability
    decision: Decision
    points: int
    reasons: list[Reason]
    warnings: list[FieldWarning]
    expected_loss: float | UnsetType | None = UNSET
    expected_profit: float | UnsetType | None = UNSET
    rules: list[str] | UnsetType = UNSET
    what_would_change: list[Change] | None = None
    decision_id: str | None = None


SCALARS: dict[str, Any] = {
    name: kind
    for name, kind in get_type_hints(Result).items()
    if name in Result.__struct_fields__[1 : Result.__struct_fields__.index("reasons")]
}
"""Scalar attributes of every `Result`, in order: name → float, int, bool, or a Literal of words."""

MONEY: dict[str, Any] = {"expected_loss": float, "expected_profit": float}
"""Scalar attributes where the policy is in money; NaN in their columns stands for null."""

WORDS: dict[str, tuple[str, ...]] = {name: words for name, kind in SCALARS.items() if (words := get_args(kind))}
"""Scalar attributes that are words; their columns hold indices into these."""


def list_scalars(policy: Policy) -> dict[str, Any]:
    """Scalar attributes of the answers of this policy, in order: SCALARS, and MONEY where it is in money."""
    return SCALARS if policy.money is None else SCALARS | MONEY


def score_columns(
    probability: Matrix, decision: npt.NDArray[Any], policy: Policy, applicants: Matrix
) -> dict[str, npt.NDArray[Any]]:
    """One array, shape (n,), for each of `list_scalars`: float64, int64, bool, or for a word its index in WORDS.

    probability: float64, shape (n,), of default, finite; decision: int64, shape (n,), index into DECISIONS;
    applicants: float64, shape (n, n_fields).
    """
    columns = {"probability": probability, "decision": decision, "points": policy.score_points(probability)}
    if policy.money is not None:
        columns["expected_loss"] = policy.money.expected_loss(probability, applicants)
        columns["expected_profit"] = policy.money.expected_profit(probability, applicants)
    return columns


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
    policy = model.contract.policy
    columns = score_columns(scores.probability, scores.decision, policy, applicants)
    scalars = [_to_list(columns[name], WORDS.get(name)) for name in SCALARS]
    n_applicants = len(applicants)
    losses, profits = [list_amounts(columns[name]) if policy.money else [UNSET] * n_applicants for name in MONEY]
    decided = policy.list_deciding_rules(scores.decision, applicants) if policy.rules else None
    fields = model.contract.fields
    results = []
    for number, values in enumerate(zip(*scalars, strict=True)):
        row = applicants[number]
        rules = () if decided is None else decided[number]
        reasons = name_rules(row, rules[:max_reasons], fields) if rules else []
        if len(reasons) < max_reasons:
            reasons += name_reasons(row, scores.contributions[number], fields, max_reasons - len(reasons))
        changes = None
        if what_would_change and DECISIONS[decision := scores.decision.item(number)] == "refuse":
            changes = find_changes(model, row, decision)
        decision_id = None if decision_ids is None else decision_ids[number]
        names = UNSET if decided is None else [rule.name for rule in rules]
        optional = [losses[number], profits[number], names, changes, decision_id]
        attributes = [ids[number], *values, reasons, find_warnings(row, fields), *optional]
        results.append(Result(*attributes))
    return results


def _to_list(column: npt.NDArray[Any], words: tuple[str, ...] | None) -> list[Any]:
    return column.tolist() if words is None else [words[index] for index in column.tolist()]
