"""The graph's output decision: thresholds of the policy or of each applicant's money, then the rules.

Every node computes what model/money.py and model/rules.py compute in numpy, in the same order. The names of money's
and rules' constants begin with `policy_`, since branches of the graph have short names of their own.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, numpy_helper

from model.inputs import Input
from model.money import Money
from model.policy import Policy
from model.rules import Compares, Condition, IsMissing, IsOneOf
from train.export.branch import Branch

COMPARISONS = {"below": "Less", "at_most": "LessOrEqual", "above": "Greater", "at_least": "GreaterOrEqual"}


def add_decision(nodes: Branch, policy: Policy) -> None:
    """Add the nodes of decision, int64 (n,), from the outputs probability, (n,), and the input applicants.

    2 refuse from refuse_from on, else 1 review from review_from on, else 0 accept; at least that of each rule.
    """
    result, last = nodes.constant("accept", np.array(0)), "" if policy.rules else "decision"
    review_from: str | float = policy.review_from
    refuse_from: str | float = policy.refuse_from
    if policy.money is not None:
        review_from, refuse_from = _add_thresholds(nodes, policy.money, policy.cost_review)
    if policy.money is not None or policy.review_from < policy.refuse_from:
        is_reviewed = _add_comparison(nodes, "review_from", review_from)
        result = nodes.add("Where", [is_reviewed, nodes.constant("review", np.array(1)), result])
    is_refused = _add_comparison(nodes, "refuse_from", refuse_from)
    result = nodes.add("Where", [is_refused, nodes.constant("refuse", np.array(2)), result], last)
    for number, rule in enumerate(policy.rules, 1):
        holds = _add_condition(nodes, rule.when)
        least = nodes.add("Max", [result, nodes.constant("policy_least", np.array(rule.index))])
        result = nodes.add("Where", [holds, least, result], "decision" if number == len(policy.rules) else "")


def _add_comparison(nodes: Branch, name: str, threshold: str | float) -> str:
    """Whether the probability is at least a threshold, the name of a tensor or the same for all: bool, (n,)."""
    limit = threshold if isinstance(threshold, str) else nodes.constant(name, np.array(threshold))
    return nodes.add("GreaterOrEqual", ["probability", limit])


def _read(nodes: Branch, source: Input | float) -> str:
    """The values of an input, (n,), NaN = missing; or a number for all."""
    if not isinstance(source, Input):
        return _repeat(nodes, source)
    column = nodes.add("Gather", ["applicants", nodes.constant("policy_column", np.array([source.column]))], axis=1)
    x = nodes.add("Squeeze", [column, nodes.constant("policy_columns", np.array([1]))])
    for code in source.missing:
        is_code = nodes.add("Equal", [x, nodes.constant("policy_code", np.array(code))])
        x = nodes.add("Where", [is_code, nodes.constant("policy_gap", np.array(np.nan)), x])
    return x


def _repeat(nodes: Branch, number: float) -> str:
    """The number for each applicant, (n,).

    onnxruntime leaves out a product with a constant that is 1 in float32, and a sum with one that is 0 in float32, such
    as 1.00000001 and 1e-50; these it doesn't take for constants.
    """
    value = numpy_helper.from_array(np.array([number], dtype=np.float64))
    return nodes.add("ConstantOfShape", [nodes.add("Shape", ["probability"])], value=value)


def _add_thresholds(nodes: Branch, money: Money, cost_review: float | None) -> tuple[str, str]:
    """Nodes of Money.thresholds: the names of review_from and refuse_from, (n,) each."""
    zero = nodes.constant("policy_zero", np.array(0.0))
    exposure, margin = _read(nodes, money.exposure), _read(nodes, money.margin)
    loss = nodes.add("Mul", [_repeat(nodes, money.lgd), exposure])
    # numpy's maximum keeps NaN; a comparison with it is false.
    is_negative = nodes.add("Less", [margin, zero])
    gain = nodes.add("Mul", [nodes.add("Where", [is_negative, zero, margin]), exposure])
    one = nodes.constant("policy_one", np.array(1.0))
    is_known = nodes.add("And", [nodes.add("Greater", [loss, zero]), nodes.add("GreaterOrEqual", [gain, zero])])
    is_known = nodes.add("And", [is_known, nodes.add("LessOrEqual", [margin, one])])
    review_from = refuse_from = nodes.add("Div", [gain, nodes.add("Add", [loss, gain])])
    if cost_review is not None:
        cost = nodes.constant("policy_cost_review", np.array(cost_review))
        pays = nodes.add("Less", [cost, nodes.add("Mul", [refuse_from, loss])])
        review_from = nodes.add("Where", [pays, nodes.add("Div", [cost, loss]), review_from])
        upper = nodes.add("Sub", [one, nodes.add("Div", [cost, gain])])
        refuse_from = nodes.add("Where", [pays, upper, refuse_from])
    never = nodes.constant("policy_never", np.array(np.inf))
    return (
        nodes.add("Where", [is_known, review_from, zero]),
        nodes.add("Where", [is_known, refuse_from, never]),
    )


def _add_condition(nodes: Branch, condition: Condition) -> str:
    """Nodes of a condition's `holds`: bool, (n,)."""
    if isinstance(condition, Compares):
        if condition.times is None:
            limit = nodes.constant("policy_limit", np.array(condition.value))
        else:
            limit = nodes.add("Mul", [_repeat(nodes, condition.value), _read(nodes, condition.times)])
        return nodes.add(COMPARISONS[condition.comparison], [_read(nodes, condition.input), limit])
    if isinstance(condition, IsMissing):
        return nodes.add("IsNaN", [_read(nodes, condition.input)])
    if isinstance(condition, IsOneOf):
        x = _read(nodes, condition.input)
        axis = nodes.constant("policy_members_axis", np.array([1]))
        members = nodes.constant("policy_members", np.array(condition.values, dtype=np.float64))
        is_each = nodes.add("Equal", [nodes.add("Unsqueeze", [x, axis]), members])
        count = nodes.add("ReduceMax", [nodes.add("Cast", [is_each], to=TensorProto.INT32), axis], keepdims=0)
        is_member = nodes.add("Cast", [count], to=TensorProto.BOOL)
        if not condition.negated:
            return is_member
        return nodes.add("Not", [nodes.add("Or", [is_member, nodes.add("IsNaN", [x])])])
    parts = [_add_condition(nodes, part) for part in condition.parts]
    result = parts[0]
    for part in parts[1:]:
        result = nodes.add("And" if condition.join == "all" else "Or", [result, part])
    return result
