"""The graph's outputs probability and decision, computed from the members' values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from model.policy import Policy
from train.export.branch import Branch
from train.export.decision import add_decision
from train.fitted.links import Link
from train.fitted.model import FittedModel

PADDING = 0.0
"""A value appended to the members' values. onnxruntime's sigmoid processes pairs of numbers, and an unpaired last
number by another formula that may differ in the last bit. With this value appended, only it can be unpaired, so that an
applicant gets bit-identical probabilities alone and in any batch."""


def add_outputs(nodes: Branch, values: Sequence[str], model: FittedModel, policy: Policy) -> None:
    """Add the nodes of probability, float64 (n,), and decision, int64 (n,), from the members' values, (n, 1) each."""
    parts = []
    for value, member in zip(values, model.members, strict=True):
        flat = nodes.add("Squeeze", [value, nodes.constant("columns", np.array([1]))])
        padded = nodes.add("Concat", [flat, nodes.constant("even", np.array([PADDING]))], axis=0)
        if member.function.divisor != 1:
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
    add_decision(nodes, policy)


def _add_links(nodes: Branch, x: str, links: Sequence[Link]) -> str:
    for link in links:
        x = link.emit(nodes, x)
    return x


def describe_outputs() -> list[Any]:
    """The ONNX types of probability and decision."""
    return [
        helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n"]),
        helper.make_tensor_value_info("decision", TensorProto.INT64, ["n"]),
    ]
