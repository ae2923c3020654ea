"""Shared by all converters: adding nodes and constants to skl2onnx's container.

skl2onnx calls a converter with (scope, operator, container), by those names: `scope` generates unique names, `operator`
has the fitted model and its input and output tensors, `container` collects the nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper
from skl2onnx.common.data_types import DoubleTensorType

OPSET = 21
"""ai.onnx opset of every node we write and of the finished graph."""

TREES_DOMAIN = "ai.onnx.ml"
TREES_OPSET = 5
"""The first version with `TreeEnsemble`, which takes float64 splits and leaves."""

PLACEHOLDER_DOMAIN = "trees"
"""skl2onnx refuses ai.onnx.ml above 3, so nodes of version 5 are in this domain until `finish` (graph.py)."""


class Nodes:
    """Adds nodes and constants for one operator of skl2onnx."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope = scope
        self.container = container

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Add an initializer (float64, int64 or bool); returns its name."""
        array = np.asarray(value)
        unique = str(self.scope.get_unique_variable_name(name))
        data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        self.container.add_initializer(unique, data_type, list(array.shape), array.ravel().tolist())
        return unique

    def add(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node of ai.onnx; returns the name of its result, `output` made unique."""
        unique = str(self.scope.get_unique_variable_name(output))
        self.finish(op_type, inputs, unique, **attributes)
        return unique

    def finish(self, op_type: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> None:
        """Add a node whose result is named exactly `output`, such as the operator's own output."""
        self.container.add_node(
            op_type,
            inputs,
            [output],
            op_domain=domain,
            op_version=1 if domain else OPSET,
            name=self.scope.get_unique_operator_name(op_type),
            **attributes,
        )


def set_double_output(operator: Any, width: int | None) -> None:
    """Shape calculator: the operator's one output is float64, shape (n, width)."""
    operator.outputs[0].type = DoubleTensorType([None, width])


def tensor(name: str, data_type: int, values: npt.ArrayLike) -> TensorProto:
    """A one-dimensional tensor attribute."""
    flat = np.asarray(values).ravel().tolist()
    return helper.make_tensor(name, data_type, [len(flat)], flat)
