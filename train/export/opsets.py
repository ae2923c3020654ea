"""The opsets of the graph, and a helper for tensor attributes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

OPSET = 21
"""ai.onnx opset of every node."""

TREES_DOMAIN = "ai.onnx.ml"
TREES_OPSET = 5
"""The first version with `TreeEnsemble`, which takes float64 splits and leaves."""

IR_VERSION = 10
"""The first version with these opsets; a newer one would exclude older runtimes."""


def tensor(name: str, data_type: int, values: npt.ArrayLike) -> TensorProto:
    """A one-dimensional tensor attribute."""
    flat = np.asarray(values).ravel().tolist()
    return helper.make_tensor(name, data_type, [len(flat)], flat)
