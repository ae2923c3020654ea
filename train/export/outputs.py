"""The graph's outputs probability and decision, computed from the members' values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from model.policy import Policy
from train.export.branch import Branch
from train.fitted.links import Link
from train.fitted.model import FittedModel
from train.fitted.trees import Trees

PADDING = 0.0
"""A value appended to the members' values. onnxruntime's sigmoid processes pairs of numbers, and an unpaired last
number by another formula that may differ in the last bit. With this value appended, only it can be unpaired, so that an
applicant gets bit-identical probabilities alone and in any batch."""


def add_outputs(nodes: Branch, values: Sequence[str], model: FittedModel, policy: Policy) -> None:
    """Add the nodes of probability, float64 (n,), and decision, int64 (n,), from the members' values, (n, 1) each.

    decision: 2 refuse from refuse_from on, else 1 review from review_from on, else 0 accept.
    """
    parts = []
    for value, member in zip(values, model.members, strict=True):
        flat = nodes.add("Squeeze", [value, nodes.constant("columns", np.array([1]))])
        padded = nodes.add("Concat", [flat, nodes.constant("even", np.array([PADDING]))], axis=0)
        if isinstance(member.function, Trees) and member.function.divisor != 1:
            padded = nodes.add("Div", [padded, nodes.constant("divisor", np.array(member.function.divisor))])
        part = _add_links(nodes, padded, member.links)
        if member.weight != 1:
            part = nodes.add("Mul", [part, nodes.constant("weight", np.array(member.weight))])
        parts.append(part)
    total = parts[0]
    for part in parts[1:]:
        total = nodes.add("Add", [total, part])
    if model.total != 1:
        total = nodes.add("Div", [total, nodes.constant("total", np.array(model.total))])
    total = _add_links(nodes, total, model.outer)
    ends = [nodes.constant("first", np.array([0])), nodes.constant("last", np.array([-1]))]
    nodes.add("Slice", [total, *ends], "probability")
    _add_decision(nodes, policy)


def _add_links(nodes: Branch, x: str, links: Sequence[Link]) -> str:
    for link in links:
        x = link.emit(nodes, x)
    return x


def _add_decision(nodes: Branch, policy: Policy) -> None:
    def at_least(name: str, threshold: float) -> str:
        return nodes.add("GreaterOrEqual", ["probability", nodes.constant(name, np.array(threshold))])

    if_not_refused = nodes.constant("accept", np.array(0))
    if policy.review_from < policy.refuse_from:
        is_reviewed = at_least("review_from", policy.review_from)
        if_not_refused = nodes.add("Where", [is_reviewed, nodes.constant("review", np.array(1)), if_not_refused])
    is_refused = at_least("refuse_from", policy.refuse_from)
    nodes.add("Where", [is_refused, nodes.constant("refuse", np.array(2)), if_not_refused], "decision")


def describe_outputs() -> list[Any]:
    """The ONNX types of probability and decision."""
    return [
        helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n"]),
        helper.make_tensor_value_info("decision", TensorProto.INT64, ["n"]),
    ]
