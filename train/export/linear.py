"""Logistic regression as a graph: log-odds = x · coefficients + intercept."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.export.converter import Nodes


def convert_logistic(scope: Any, operator: Any, container: Any) -> None:
    """LogisticRegression with two classes: log-odds of the second. (n, k) → (n, 1)."""
    nodes = Nodes(scope, container)
    model = operator.raw_operator
    coefficients = nodes.constant("coefficients", model.coef_.astype(np.float64).T)
    product = nodes.add("MatMul", [operator.inputs[0].full_name, coefficients], "product")
    intercept = nodes.constant("intercept", np.broadcast_to(model.intercept_, (1,)).astype(np.float64))
    nodes.finish("Add", [product, intercept], operator.outputs[0].full_name)
