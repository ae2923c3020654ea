"""The graph decides what the policy decides, to the bit, for any policy and any applicant."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from model.inputs import Input, Matrix
from model.loading import load_model
from model.money import Money
from model.policy import Points, Policy
from model.rules import Compares, IsMissing, IsOneOf, Joined, Rule
from tests.model.policies import AMOUNT, FIELDS, INCOME, applicants, policies, probabilities
from tests.train.models import KINDS, draw_numbers, export_kind
from train.export.branch import Branch, matrix_info
from train.export.decision import add_decision
from train.export.opsets import IR_VERSION, OPSET


def decide_in_graph(policy: Policy, probability: Matrix, rows: Matrix) -> list[int]:
    """The output `decision` of a graph that has nothing else."""
    nodes = Branch("")
    add_decision(nodes, policy)
    vector = helper.make_tensor_value_info("probability", TensorProto.DOUBLE, ["n"])
    output = helper.make_tensor_value_info("decision", TensorProto.INT64, ["n"])
    graph = helper.make_graph(
        nodes.nodes, "g", [vector, matrix_info("applicants", len(FIELDS))], [output], initializer=nodes.constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (decision,) = session.run(["decision"], {"probability": probability, "applicants": rows})
    decided: list[int] = decision.tolist()
    return decided


@settings(max_examples=50)
@given(policy=policies, rows=applicants(), data=st.data())
def test_the_graph_decides_what_the_policy_decides(policy: Policy, rows: Matrix, data: st.DataObject) -> None:
    """For missing values, codes for them, zero, denormals and ±1e100, and for probabilities at the thresholds."""
    at = policy.thresholds(rows)
    limits = [np.broadcast_to(limit, len(rows)) for limit in (at.review_from, at.refuse_from)]
    beside = [np.nextafter(limit, end) for limit in limits for end in (-1.0, 2.0)]
    drawn = [np.full(len(rows), data.draw(probabilities))]
    for probability in [*drawn, *limits, *beside]:
        probability = np.clip(probability, 0, 1)
        assert decide_in_graph(policy, probability, rows) == policy.decide(probability, rows).tolist()


def test_numbers_that_float32_takes_for_0_or_1_count() -> None:
    """onnxruntime would leave out a product with the one, and a sum with the other."""
    times, money = 1 + 1e-9, Money(1e-50, 0.5, INCOME)
    rule = Rule("limit", "refuse", "r", Compares(AMOUNT, "above", times, times=INCOME))
    rows = np.array([[1 + 0.5e-9, 1.0, 0.0], [1 + 2e-9, 1.0, 0.0]])

    in_costs = Policy(5.0, 1.0, None, 0.5, 0.5, Points(), rules=(rule,))
    in_money = Policy(5.0, 1.0, None, 0.5, 0.5, Points(), "money", money)

    assert decide_in_graph(in_costs, np.zeros(2), rows) == [0, 2]
    assert decide_in_graph(in_money, np.array([0.6, 0.7]), rows) == [0, 2]


def test_a_policy_in_costs_without_rules_has_the_nodes_it_always_had() -> None:
    """Files of such policies stay as they are, to the byte: names, and the order of the constants, too."""
    three_way, two_way = Branch(""), Branch("")

    add_decision(three_way, Policy(5.0, 1.0, 0.4, 0.08, 0.6, Points()))
    add_decision(two_way, Policy(5.0, 1.0, None, 0.2, 0.2, Points()))

    assert [(node.op_type, node.name) for node in three_way.nodes] == [
        ("GreaterOrEqual", "0_greaterorequal"),
        ("Where", "1_where"),
        ("GreaterOrEqual", "2_greaterorequal"),
        ("Where", "decision"),
    ]
    names = [constant.name for constant in three_way.constants]
    assert names == ["accept", "review_from", "review", "refuse_from", "refuse"]
    assert [node.op_type for node in two_way.nodes] == ["GreaterOrEqual", "Where"]
    assert [constant.name for constant in two_way.constants] == ["accept", "refuse_from", "refuse"]


@pytest.mark.parametrize("kind", [*KINDS])
def test_a_policy_in_money_with_rules_is_exported_with_every_kind_of_model(kind: str) -> None:
    """Trees of any size, linear models, several members: names in one part of the graph are in no other."""
    a, b, c = (Input(name, column) for column, name in enumerate("abc"))
    rules = (
        Rule("Multiple", "review", "Reason", Compares(b, "above", 2.0, c)),
        Rule("Values", "refuse", "Reason", Joined("any", (IsOneOf(c, (0.0, 0.5)), IsMissing(b)))),
    )
    policy = Policy(1.0, 1.0, 0.05, 0.5, 0.5, Points(), "money", Money(a, 0.45, 0.4), rules)
    rows = draw_numbers(200, 5)

    model = load_model(export_kind(kind, policy))

    scores = model.score(rows, explain=True)
    assert scores.decision.tolist() == policy.decide(scores.probability, rows).tolist()
    assert set(scores.decision.tolist()) == {0, 1, 2}
