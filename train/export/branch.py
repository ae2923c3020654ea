"""A subgraph in the making: nodes and constants of a branch of an `If`. Used by bulk.py, reasons.py and lookup.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from train.export.shapley import Players


class Branch:
    """The nodes and constants of a subgraph that ends in a matrix, float64, of a row for each applicant.

    Its result and its tensors are named after it; a branch inside another sees that one's tensors.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """An initializer; its name, which no tensor of the outer graph has."""
        unique = f"{self.name}_{name}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), unique))
        return unique

    def add(self, op_type: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """A node; the name of its result."""
        name = output or f"{self.name}_{len(self.nodes)}_{op_type.lower()}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def add_up(self, values: str, owners: Players, n_fields: int) -> None:
        """Add up the values of each field: (*owners.shape, n) → contributions of (n, n_fields), the branch's result."""
        count = self.add("Shape", [values], start=-1)
        shape = self.add("Concat", [self.constant("fields", np.array([n_fields])), count], axis=0)
        zeros = self.add("ConstantOfShape", [shape], value=numpy_helper.from_array(np.zeros(1)))
        owner = self.constant("owners", owners[..., None])
        total = self.add("ScatterND", [zeros, owner, values], reduction="add")
        self.add("Transpose", [total], self.name)

    def graph(self, width: int) -> GraphProto:
        """The finished subgraph, whose result has so many columns."""
        return helper.make_graph(self.nodes, self.name, [], [matrix_info(self.name, width)], initializer=self.constants)


def matrix_info(name: str, width: int) -> Any:
    """What ONNX says of a matrix with a row for each applicant."""
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])
