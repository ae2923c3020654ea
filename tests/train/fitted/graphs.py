"""Steps run by ONNX Runtime."""

from __future__ import annotations

import onnxruntime
from onnx import TensorProto, helper

from train.export.branch import Branch
from train.export.opsets import IR_VERSION, OPSET, TREES_DOMAIN, TREES_OPSET
from train.fitted.steps import Matrix, Steps, emit_steps


def run_steps(steps: Steps, rows: Matrix) -> Matrix:
    """The result of steps as a graph."""
    nodes = Branch("steps")
    result = nodes.add("Identity", [emit_steps(steps, nodes, "rows")])
    info = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, None]) for name in ("rows", result)]
    graph = helper.make_graph(nodes.nodes, "steps", info[:1], info[1:], initializer=nodes.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answer: Matrix = session.run(None, {"rows": rows})[0]
    return answer
