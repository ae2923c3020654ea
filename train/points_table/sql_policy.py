"""The policy of a scorecard in SQL: the same steps as model/money.py and model/rules.py.

The amounts of money are those of the graph but for rounding, since engines compute EXP differently in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.inputs import Input
from model.money import Money
from model.policy import DECISIONS, Policy
from model.rules import find_inputs
from train.points_table.bins import ContractScorecard
from train.points_table.sql_conditions import Branch, write_case, write_condition
from train.points_table.sql_text import quote_name, quote_text, write_number

SEPARATOR = "; "
"""Between the names of rules, as in the files of the service."""

Names = Mapping[str, str]
"""What a column that the SELECT adds means → its quoted name."""


def list_inputs(policy: Policy) -> list[Input]:
    """The inputs of amounts of money and of rules, each once."""
    money = policy.money
    found = [] if money is None else [one for one in (money.exposure, money.margin) if isinstance(one, Input)]
    for rule in policy.rules:
        found += find_inputs(rule.when)
    return list(dict.fromkeys(found))


def write_stakes(money: Money, read: Mapping[Input, str], names: Names) -> list[str]:
    """Money.stakes: NULL where they aren't known. `read`: the columns of inputs."""
    exposure, margin = (
        quote_name(read[source]) if isinstance(source, Input) else _write_double(source)
        for source in (money.exposure, money.margin)
    )
    loss = f"{write_number(money.lgd)} * {exposure}"
    gain = f"CASE WHEN {margin} < 0 THEN 0 ELSE {margin} END * {exposure}"
    is_known = f"CASE WHEN {loss} > 0 AND {gain} >= 0 AND {margin} <= 1 THEN"
    return [f"{is_known} {loss} END AS {names['loss']}", f"{is_known} {gain} END AS {names['gain']}"]


def write_thresholds(cost_review: float | None, names: Names) -> list[str]:
    """Money.thresholds: NULL where the stakes aren't known."""
    loss, gain = names["loss"], names["gain"]
    review_from = refuse_from = f"{gain} / ({loss} + {gain})"
    if cost_review is not None:
        cost = _write_double(cost_review)
        # Where a review pays, there is a gain to divide by.
        pays = f"CASE WHEN {cost} < {refuse_from} * {loss} THEN"
        review_from = f"{pays} {cost} / {loss} ELSE {review_from} END"
        refuse_from = f"{pays} 1 - {cost} / {gain} ELSE {refuse_from} END"
    return [f"{review_from} AS {names['review_from']}", f"{refuse_from} AS {names['refuse_from']}"]


def write_amounts(names: Names) -> list[str]:
    """Expected loss and profit of accepting."""
    p, loss, gain = names["probability"], names["loss"], names["gain"]
    return [
        f"{p} * {loss} AS {names['expected_loss']}",
        f"(1 - {p}) * {gain} - {p} * {loss} AS {names['expected_profit']}",
    ]


def write_decision(table: ContractScorecard, read: Mapping[Input, str], names: Names) -> str:
    """Policy.decide: NULL without points. Constant thresholds are whole points."""
    contract, policy = table.contract, table.contract.policy
    if policy.money is None:
        refuse, review = (table.find_cutoff(threshold) for threshold in (policy.refuse_from, policy.review_from))
        refused = [f"{names['points']} <= {refuse}"]
        reviewed = [f"{names['points']} <= {review}"] if review > refuse else []
    else:
        refused = [f"{names['probability']} >= {names['refuse_from']}"]
        reviewed = [f"{names['loss']} IS NULL"]
        if policy.cost_review is not None:
            reviewed.append(f"{names['probability']} >= {names['review_from']}")
    for rule in policy.rules:
        conditions = refused if rule.decision == "refuse" else reviewed
        conditions.append(write_condition(rule.when, contract.fields, read))
    branches = [Branch(f"{names['points']} IS NULL", None), Branch(_join(refused), DECISIONS.index("refuse"))]
    if reviewed:
        branches.append(Branch(_join(reviewed), DECISIONS.index("review")))
    branches.append(Branch(None, DECISIONS.index("accept")))
    return f"{write_case(branches, [quote_text(decision) for decision in DECISIONS])} AS {names['decision']}"


def write_rules(table: ContractScorecard, read: Mapping[Input, str], names: Names) -> str:
    """Policy.list_deciding_rules: the names of the rules that decided, NULL where none did."""
    contract = table.contract
    parts = [
        f"CASE WHEN {names['decision']} = {quote_text(rule.decision)}"
        f" AND {write_condition(rule.when, contract.fields, read)}"
        f" THEN {quote_text(SEPARATOR + rule.name)} ELSE '' END"
        for rule in contract.policy.rules
    ]
    listed = "\n    || ".join(parts)
    return f"NULLIF(SUBSTR({listed}, {len(SEPARATOR) + 1}), '') AS {names['rules']}"


def _join(conditions: Sequence[str]) -> str:
    return "\n      OR ".join(conditions)


def _write_double(number: float) -> str:
    return f"CAST({write_number(number)} AS DOUBLE PRECISION)"
