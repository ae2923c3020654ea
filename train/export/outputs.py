"""The graph's outputs probability and decision, computed from the log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from model.policy import Policy

PADDING = 0.0
"""A value appended to the log-odds. onnxruntime's sigmoid processes pairs of numbers, and an unpaired last number by
another formula that may differ in the last bit. With this value appended, only it can be unpaired, so that an applicant
gets bit-identical probabilities alone and in any batch."""


def add_decision_outputs(graph: GraphProto, log_odds: str, policy: Policy) -> None:
    """Add the outputs probability, float64 (n,), and decision, int64 (n,), to a graph with log-odds (n, 1).

    probability = 1 / (1 + exp(−log-odds)); decision: 2 refuse from refuse_from on, else 1 review from
    review_from on, else 0 accept.
    """
    constants: dict[str, Any] = {
        "columns": [1],
        "even": [PADDING],
        "first": [0],
        "last": [-1],
        "accept": 0,
        "refuse": 2,
        "refuse_from": policy.refuse_from,
    }
    graph.node.extend(
        [
            _node("Squeeze", [log_odds, "columns"], "log_odds_of_all"),
            _node("Concat", ["log_odds_of_all", "even"], "log_odds_and_one", axis=0),
            _node("Sigmoid", ["log_odds_and_one"], "probability_and_one"),
            _node("Slice", ["probability_and_one", "first", "last"], "probability"),
            _node("GreaterOrEqual", ["probability", "refuse_from"], "is_refused"),
        ]
    )
    if_not_refused = "accept"
    if policy.review_from < policy.refuse_from:
        if_not_refused = "accepted_or_reviewed"
        constants |= {"review": 1, "review_from": policy.review_from}
        graph.node.append(_node("GreaterOrEqual", ["probability", "review_from"], "is_reviewed"))
        graph.node.append(_node("Where", ["is_reviewed", "review", "accept"], if_not_refused))
    graph.node.append(_node("Where", ["is_refused", "refuse", if_not_refused], "decision"))
    graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in constants.items())
    del graph.output[:]
    graph.output.extend(
        [
            helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n"]),
            helper.make_tensor_value_info("decision", TensorProto.INT64, ["n"]),
        ]
    )


def _node(op_type: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op_type, inputs, [output], name=output, **attributes)
