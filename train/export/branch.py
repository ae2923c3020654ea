"""Builder of a subgraph, a branch of an `If`. Used by log_odds_lookup.py, reasons.py and contribution_lookup.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from train.export.shapley import FieldNumbers


class Branch:
    """Nodes and constants of a subgraph whose result is a float64 matrix with one row for each applicant.

    The result has the name of the branch, all other tensors have it as prefix. An inner branch may use the tensors of
    the outer one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add an initializer; returns its name, which is unique in the outer graph too."""
        unique = f"{self.name}_{name}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), unique))
        return unique

    def add(self, op_type: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its result."""
        name = output or f"{self.name}_{len(self.nodes)}_{op_type.lower()}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def add_up(self, values: str, owners: FieldNumbers, n_fields: int) -> None:
        """Sum the values of each field: (*owners.shape, n) → contributions (n, n_fields), the result of the branch."""
        count = self.add("Shape", [values], start=-1)
        shape = self.add("Concat", [self.constant("fields", np.array([n_fields])), count], axis=0)
        zeros = self.add("ConstantOfShape", [shape], value=numpy_helper.from_array(np.zeros(1)))
        owner = self.constant("owners", owners[..., None])
        total = self.add("ScatterND", [zeros, owner, values], reduction="add")
        self.add("Transpose", [total], self.name)

    def graph(self, width: int) -> GraphProto:
        """The finished subgraph; `width` is the number of columns of its result."""
        return helper.make_graph(self.nodes, self.name, [], [matrix_info(self.name, width)], initializer=self.constants)


def matrix_info(name: str, width: int) -> Any:
    """ONNX type of a float64 matrix with one row for each applicant."""
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])
