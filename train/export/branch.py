"""Builder of a subgraph, a branch of an `If`. Used by log_odds_lookup.py, reasons.py and contribution_lookup.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from train.export.opsets import TREES_DOMAIN
from train.export.shapley import FieldNumbers
from train.export.trees import Node, ensemble_attributes


class Branch:
    """Nodes and constants of a subgraph whose result is a float64 matrix with one row for each applicant.

    The result has the name of the branch, all other tensors have it as prefix. An inner branch may use the tensors of
    the outer one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._prefix = f"{name}_" if name else ""
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._names: set[str] = set()

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add an initializer; returns its name, which is unique in the outer graph too."""
        unique = name if name.startswith(self._prefix) else self._prefix + name
        if unique in self._names:
            unique = f"{unique}_{len(self._names)}"
        self._names.add(unique)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), unique))
        return unique

    def add(self, op_type: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its result."""
        name = output or f"{self._prefix}{len(self.nodes)}_{op_type.lower()}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def leaves(self, x: str, trees: list[Node]) -> str:
        """Add a node for the leaf that each row of x reaches in each tree: (n, k) → (n, len(trees))."""
        attributes = ensemble_attributes(trees, list(range(len(trees))), len(trees))
        return self.add("TreeEnsemble", [x], domain=TREES_DOMAIN, **attributes)

    def reshape(self, x: str, *shape: int) -> str:
        """Add a Reshape node; one of the sizes may be −1."""
        return self.add("Reshape", [x, self.constant("shape", np.array(shape))])

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
