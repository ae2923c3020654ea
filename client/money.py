"""Limits of one applicant under a policy in money, and amounts as text.

Such a policy has limits for each applicant. They follow from the answer alone: expected loss = p · loss of a default,
expected profit = (1 − p) · gain of a good loan − expected loss.
"""

from __future__ import annotations

from msgspec.structs import replace

from client.language import Language
from client.responses import Change, ExposureField, Model, Policy, Result


def find_own_policy(result: Result, policy: Policy) -> Policy | None:
    """The policy with the limits of this applicant; None where they aren't known, for want of an exposure."""
    if policy.money is None:
        return policy
    p, expected_loss, expected_profit = result.probability, result.expected_loss, result.expected_profit
    if expected_loss is None or expected_profit is None or not 0 < p < 1:
        return None
    loss, gain = expected_loss / p, max((expected_profit + expected_loss) / (1 - p), 0.0)
    review_from = refuse_from = gain / (loss + gain)
    review = policy.cost_review
    if review is not None and review < refuse_from * loss:
        review_from, refuse_from = review / loss, 1 - review / gain
    return replace(policy, review_from=review_from, refuse_from=refuse_from)


def write_money(result: Result | Change, model: Model, language: Language) -> str:
    """What accepting is expected to lose and to earn; '' for a policy without money."""
    if model.policy.money is None:
        return ""
    if result.expected_loss is None or result.expected_profit is None:
        return language.text("money.unknown")
    return language.text(
        "money.expected",
        loss=write_amount(result.expected_loss, model, language),
        profit=write_amount(result.expected_profit, model, language),
    )


def write_amount(value: float, model: Model, language: Language) -> str:
    """An amount with the unit of the exposure: '1,300 EUR', '12.50 EUR'."""
    money = model.policy.money
    exposure = money.exposure if money else None
    name = exposure.field if isinstance(exposure, ExposureField) else ""
    unit = next((field.unit for field in model.fields if field.name == name), "")
    return f"{language.amount(value)} {language.translate(unit)}".rstrip()
