"""From log-odds to the graph's answers: probability, and the decision that the policy takes on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from serve.contract import Policy


def add_answers(graph: GraphProto, log_odds: str, policy: Policy) -> None:
    """Add the outputs probability, float64 (n,), and decision, int64 (n,), to a graph with log-odds (n, 1).

    probability = 1 / (1 + exp(−log-odds)); decision counts the thresholds it has reached (review_from,
    refuse_from): 0 accept, 1 review, 2 refuse.
    """
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([-1]), "flat"),
            numpy_helper.from_array(np.array([policy.review_from, policy.refuse_from]), "thresholds"),
        ]
    )
    graph.node.extend(
        [
            _node("Sigmoid", [log_odds], "probability_column"),
            _node("Reshape", ["probability_column", "flat"], "probability"),
            _node("GreaterOrEqual", ["probability_column", "thresholds"], "is_reached"),
            _node("Cast", ["is_reached"], "reached", to=TensorProto.INT64),
            _node("ReduceSum", ["reached", "flat"], "decision", keepdims=0),
        ]
    )
    del graph.output[:]
    graph.output.extend(
        [
            helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n"]),
            helper.make_tensor_value_info("decision", TensorProto.INT64, ["n"]),
        ]
    )


def _node(op_type: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op_type, inputs, [output], name=output, **attributes)
