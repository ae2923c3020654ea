"""Steps that apply a function to each number: those of numpy that ONNX has, limits, and the power transforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from train.fitted.steps import Builder, Matrix, Owners


def _emit_log1p(nodes: Builder, x: str) -> str:
    """log(1 + x) without loss for small x: log(u) · x / (u − 1) with u = 1 + x (Kahan)."""
    one = nodes.constant(f"{x}_one", np.array(1.0))
    u = nodes.add("Add", [x, one])
    rest = nodes.add("Sub", [u, one])
    exact = nodes.add("Mul", [nodes.add("Log", [u]), nodes.add("Div", [x, rest])])
    return nodes.add("Where", [nodes.add("Equal", [u, one]), x, exact])


def _emit_expm1(nodes: Builder, x: str) -> str:
    """exp(x) − 1 without loss for small x: (u − 1) · x / log(u) with u = exp(x) (Kahan)."""
    one = nodes.constant(f"{x}_one", np.array(1.0))
    u = nodes.add("Exp", [x])
    rest = nodes.add("Sub", [u, one])
    exact = nodes.add("Mul", [rest, nodes.add("Div", [x, nodes.add("Log", [u])])])
    # Far from 0 nothing is lost; there u may be 0 or infinite.
    is_far = nodes.add("Greater", [nodes.add("Abs", [x]), one])
    near = nodes.add("Where", [nodes.add("Equal", [u, one]), x, exact])
    return nodes.add("Where", [is_far, rest, near])


def _emit_scaled_log(factor: float) -> Callable[[Builder, str], str]:
    def emit(nodes: Builder, x: str) -> str:
        return nodes.add("Mul", [nodes.add("Log", [x]), nodes.constant(f"{x}_base", np.array(factor))])

    return emit


def _emit_node(op_type: str) -> Callable[[Builder, str], str]:
    return lambda nodes, x: nodes.add(op_type, [x])


def _emit_signs(nodes: Builder, x: str) -> str:
    """The sign; of a missing value, the missing value."""
    return nodes.add("Where", [nodes.add("IsNaN", [x]), x, nodes.add("Sign", [x])])


@dataclass(frozen=True, slots=True)
class Function:
    """A numpy function of each number, by its name in numpy.

    `ROUNDED`: those whose last digits differ between numpy and ONNX Runtime, and between processors.
    """

    name: str

    ROUNDED: ClassVar[frozenset[str]] = frozenset({"exp", "expm1", "log", "log1p", "log2", "log10", "tanh"})
    EMIT: ClassVar[dict[str, Callable[[Builder, str], str]]] = {
        "absolute": _emit_node("Abs"),
        "ceil": _emit_node("Ceil"),
        "exp": _emit_node("Exp"),
        "expm1": _emit_expm1,
        "fabs": _emit_node("Abs"),
        "floor": _emit_node("Floor"),
        "log": _emit_node("Log"),
        "log10": _emit_scaled_log(1 / np.log(10.0)),
        "log1p": _emit_log1p,
        "log2": _emit_scaled_log(1 / np.log(2.0)),
        "negative": _emit_node("Neg"),
        "reciprocal": _emit_node("Reciprocal"),
        "rint": _emit_node("Round"),
        "sign": _emit_signs,
        "sqrt": _emit_node("Sqrt"),
        "square": lambda nodes, x: nodes.add("Mul", [x, x]),
        "tanh": _emit_node("Tanh"),
    }

    @property
    def is_rounded(self) -> bool:
        return self.name in self.ROUNDED

    def apply(self, rows: Matrix) -> Matrix:
        with np.errstate(all="ignore"):
            result: Matrix = getattr(np, self.name)(rows)
        return result

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        return self.EMIT[self.name](nodes, x)


@dataclass(frozen=True, slots=True)
class Clip:
    """Numbers below `low` and above `high` are replaced by them; missing values stay. float64, shape (k,)."""

    low: Matrix
    high: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        return np.clip(rows, self.low, self.high)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        low, high = nodes.constant(f"{x}_low", self.low), nodes.constant(f"{x}_high", self.high)
        raised = nodes.add("Where", [nodes.add("Less", [x, low]), low, x])
        return nodes.add("Where", [nodes.add("Greater", [raised, high]), high, raised])


@dataclass(frozen=True, slots=True)
class Restrict:
    """Numbers below `low` and above `high` become missing. float64, shape (k,)."""

    low: Matrix
    high: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        return np.where((rows < self.low) | (rows > self.high), np.nan, rows)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        below = nodes.add("Less", [x, nodes.constant(f"{x}_low", self.low)])
        above = nodes.add("Greater", [x, nodes.constant(f"{x}_high", self.high)])
        missing = nodes.constant(f"{x}_outside", np.array(np.nan))
        return nodes.add("Where", [nodes.add("Or", [below, above]), missing, x])


@dataclass(frozen=True, slots=True)
class Power:
    """The power transform of each column: Box-Cox of positive numbers, or Yeo-Johnson. `exponents`: shape (k,).

    Box and Cox, An Analysis of Transformations, 1964; Yeo and Johnson, A New Family of Power Transformations, 2000. In
    scipy's formulas: expm1(λ · log) / λ.
    """

    exponents: Matrix
    is_positive: bool

    is_rounded: ClassVar[bool] = True
    EPSILON: ClassVar[float] = float(np.finfo(np.float64).eps)

    def apply(self, rows: Matrix) -> Matrix:
        with np.errstate(all="ignore"):
            if self.is_positive:
                from scipy.special import boxcox  # its logarithm may differ from numpy's in the last digit

                positive = np.where(rows <= 0, np.nan, rows)
                return np.asarray(boxcox(positive, self.exponents), dtype=np.float64)
            exponents = np.where(rows >= 0, self.exponents, 2 - self.exponents)
            result = self._raise(np.log1p(np.abs(rows)), exponents)
            return np.where(rows >= 0, result, -result)

    def _raise(self, logarithm: Matrix, exponents: Matrix) -> Matrix:
        is_log = np.abs(exponents) < self.EPSILON
        return np.where(is_log, logarithm, np.expm1(exponents * logarithm) / np.where(is_log, 1.0, exponents))

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        zero = nodes.constant(f"{x}_zero", np.array(0.0))
        exponents = nodes.constant(f"{x}_exponents", self.exponents)
        if self.is_positive:
            gap = nodes.constant(f"{x}_outside", np.array(np.nan))
            positive = nodes.add("Where", [nodes.add("Greater", [x, zero]), x, gap])
            return self._emit_raise(nodes, nodes.add("Log", [positive]), exponents)
        is_positive = nodes.add("GreaterOrEqual", [x, zero])
        mirrored = nodes.constant(f"{x}_mirrored", 2 - self.exponents)
        chosen = nodes.add("Where", [is_positive, exponents, mirrored])
        result = self._emit_raise(nodes, _emit_log1p(nodes, nodes.add("Abs", [x])), chosen)
        return nodes.add("Where", [is_positive, result, nodes.add("Neg", [result])])

    def _emit_raise(self, nodes: Builder, logarithm: str, exponents: str) -> str:
        size = nodes.add("Abs", [exponents])
        is_log = nodes.add("Less", [size, nodes.constant(f"{logarithm}_epsilon", np.array(self.EPSILON))])
        raised = nodes.add("Div", [_emit_expm1(nodes, nodes.add("Mul", [exponents, logarithm])), exponents])
        return nodes.add("Where", [is_log, logarithm, raised])


def is_rounded(step: Any) -> bool:
    """Whether the last digits of a step's results depend on who computes them."""
    return bool(getattr(step, "is_rounded", False)) or any(
        is_rounded(inner) for branch in getattr(step, "branches", ()) for inner in branch
    )
