"""Recalibration: the log-odds of default moved along a line, as an edit of the graph in an existing file.

Where the score is in log-odds and the probability is its sigmoid, the line is applied before the sigmoid, and to the
contributions too: Shapley values are linear. Elsewhere it is applied to the log-odds of the file's probability, and
the contributions stay those of the score before calibration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from msgspec import structs
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from model.contract import Attribution, Contract, write_contract
from train.dataset import Matrix
from train.export.branch import Branch
from train.export.graph import serialize
from train.fitted.links import COMPLEMENT, Affine, Sigmoid

RANK_METRICS = ("auc", "gini", "ks")
"""Metrics that depend on the order of the probabilities alone, which a line with a positive slope keeps."""

NAME = "recalibrated"
"""Prefix of the nodes and constants of a recalibration, with its number."""

EXPOSED = "exposed_log_odds"


class UnknownGraph(Exception):
    """The graph isn't one that this version of the code exports; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """New log-odds of default = intercept + slope · log-odds; slope > 0."""

    intercept: float
    slope: float = 1.0

    def move(self, log_odds: Matrix) -> Matrix:
        """New log-odds, of any shape."""
        return log_odds * self.slope + self.intercept

    def move_probability(self, probability: Matrix) -> Matrix:
        """New probabilities, of any shape; 0 and 1 stay."""
        with np.errstate(divide="ignore"):
            log_odds = np.log(probability) - np.log(1 - probability)
        return Sigmoid().apply(self.move(log_odds))


def recalibrate(content: bytes, contract: Contract, change: Recalibration) -> bytes:
    """The bytes of a recalibrated file, from those of its parent.

    `contract`: complete, see `move_contract`. Raises UnknownGraph.
    """
    model = onnx.load_model_from_string(content)
    move_graph(model.graph, is_in_log_odds(contract), change)
    onnx.checker.check_model(model, full_check=True)
    del model.metadata_props[:]
    helper.set_model_props(model, write_contract(contract))
    return serialize(model)


def is_in_log_odds(contract: Contract) -> bool:
    """Whether the score is in log-odds, of which the probability is the sigmoid."""
    return contract.attribution.unit == "log-odds"


def move_contract(contract: Contract, change: Recalibration, golden: Matrix) -> Contract:
    """The contract with all that follows from the line; `golden`: the new probabilities of the golden rows."""
    bins = contract.probability_bins
    applicants = np.array(contract.golden.applicants, dtype=np.float64)
    moved = structs.replace(
        contract,
        scorecard=None,
        metrics={name: value for name, value in contract.metrics.items() if name in RANK_METRICS},
        golden=structs.replace(
            contract.golden,
            probability=tuple(golden.tolist()),
            decision=tuple(contract.policy.decide(golden, applicants).tolist()),
        ),
        probability_bins=bins
        and structs.replace(bins, edges=tuple(change.move_probability(np.array(bins.edges)).tolist())),
    )
    if is_in_log_odds(contract):
        return structs.replace(moved, base_value=float(change.move(np.array(contract.base_value))))
    if contract.attribution.unit == "probability":
        definition = contract.attribution.definition
        return structs.replace(moved, attribution=Attribution("uncalibrated probability", definition))
    return moved


def move_graph(graph: GraphProto, in_log_odds: bool, change: Recalibration) -> None:
    """Apply a line to the log-odds of a graph; raises UnknownGraph."""
    numbers = {node.name.split("_")[0] for node in graph.node if node.name.startswith(NAME)}
    nodes = Branch(f"{NAME}{len(numbers) + 1}")
    line = Affine(change.slope, change.intercept)
    if in_log_odds:
        last = find_sigmoid(graph)
        last.input[0] = line.emit(nodes, last.input[0])
    else:
        last = find_slice(graph)
        probability = last.input[0]
        log_odds = nodes.add(
            "Sub", [nodes.add("Log", [probability]), nodes.add("Log", [COMPLEMENT.emit(nodes, probability)])]
        )
        last.input[0] = Sigmoid().emit(nodes, line.emit(nodes, log_odds))
    place = list(graph.node).index(last)
    rest = [*graph.node[:place], *nodes.nodes, *graph.node[place:]]
    if in_log_odds and change.slope != 1:
        rest.append(_scale_contributions(graph, nodes, change.slope))
    graph.initializer.extend(nodes.constants)
    del graph.node[:]
    graph.node.extend(rest)


def expose_log_odds(content: bytes) -> bytes:
    """The file's graph with one more output EXPOSED, float64, shape (n + 1,): what its sigmoid takes.

    The last one is that of no applicant: see PADDING in outputs.py. Raises UnknownGraph.
    """
    model: ModelProto = onnx.load_model_from_string(content)
    log_odds = find_sigmoid(model.graph).input[0]
    model.graph.node.append(helper.make_node("Identity", [log_odds], [EXPOSED], name=EXPOSED))
    model.graph.output.append(helper.make_tensor_value_info(EXPOSED, TensorProto.DOUBLE, [None]))
    exposed: bytes = model.SerializeToString()
    return exposed


def find_slice(graph: GraphProto) -> NodeProto:
    """The node that takes the padding off the probabilities."""
    return _find(graph, "probability", "Slice")


def find_sigmoid(graph: GraphProto) -> NodeProto:
    """The node that makes probabilities of log-odds."""
    return _find(graph, find_slice(graph).input[0], "Sigmoid")


def _find(graph: GraphProto, output: str, op_type: str) -> NodeProto:
    """The node with this output; raises UnknownGraph if it is of another type."""
    found: NodeProto | None = next((node for node in graph.node if output in node.output), None)
    if found is not None and found.op_type == op_type:
        return found
    raise UnknownGraph(f"its graph has no {op_type} with the output {output!r}")


def _scale_contributions(graph: GraphProto, nodes: Branch, slope: float) -> NodeProto:
    """The node that multiplies the contributions, which get another name before it."""
    before = f"{nodes.name}_contributions"
    for node in graph.node:
        node.output[:] = [before if name == "contributions" else name for name in node.output]
    factor = nodes.constant("contributions_slope", np.array(slope))
    return helper.make_node("Mul", [before, factor], ["contributions"], name=before)
