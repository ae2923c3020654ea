"""Logistic regression as a graph: log-odds = x · coefficients + intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from train.dataset import Matrix
from train.export.converter import Nodes


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model of the log-odds: coefficients float64, shape (n_columns,)."""

    coefficients: Matrix
    intercept: float

    def log_odds(self, rows: Matrix) -> Matrix:
        """Log-odds, shape (m,), of encoded rows, shape (m, n_columns)."""
        return rows @ self.coefficients + self.intercept

    def negated(self) -> Linear:
        """The log-odds of the other class; exact, because only signs change."""
        return Linear(-self.coefficients, -self.intercept)


def read_logistic(model: Any) -> Linear:
    """The coefficients of a fitted LogisticRegression with two classes."""
    return Linear(model.coef_.astype(np.float64).ravel(), float(np.ravel(model.intercept_)[0]))


def convert_linear(linear: Linear, scope: Any, operator: Any, container: Any) -> None:
    """Add a linear model to skl2onnx's container: log-odds of a row. (n, k) → (n, 1)."""
    nodes = Nodes(scope, container)
    coefficients = nodes.constant("coefficients", linear.coefficients.reshape(-1, 1))
    intercept = nodes.constant("intercept", [linear.intercept])
    nodes.finish("Gemm", [operator.inputs[0].full_name, coefficients, intercept], operator.outputs[0].full_name)
