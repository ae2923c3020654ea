"""Steps for libraries that round their input: numbers equal in float32, and whole parts of categories' numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from train.fitted.steps import DOUBLE, Builder, Matrix, Owners

FLOAT = 1
"""onnx.TensorProto.FLOAT; onnx isn't imported here."""


@dataclass(frozen=True, slots=True)
class Blank:
    """NaN where low < x <= high: numbers that a library takes for missing. (n, k) → (n, k)."""

    low: float
    high: float

    def apply(self, rows: Matrix) -> Matrix:
        return np.where((rows > self.low) & (rows <= self.high), np.nan, rows)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        above = nodes.add("Greater", [x, nodes.constant(f"{x}_low", np.array(self.low))])
        below = nodes.add("LessOrEqual", [x, nodes.constant(f"{x}_high", np.array(self.high))])
        blank = nodes.add("And", [above, below])
        return nodes.add("Where", [blank, nodes.constant(f"{x}_blank", np.array(np.nan)), x])


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole part of numbers: cut towards zero, or towards −infinity. (n, k) → (n, k)."""

    towards: Literal["zero", "below"]

    def apply(self, rows: Matrix) -> Matrix:
        return np.trunc(rows) if self.towards == "zero" else np.floor(rows)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        if self.towards == "below":
            return nodes.add("Floor", [x])
        return nodes.add("Mul", [nodes.add("Floor", [nodes.add("Abs", [x])]), nodes.add("Sign", [x])])


@dataclass(frozen=True, slots=True)
class Single:
    """Numbers rounded to float32, half to even. (n, k) → (n, k)."""

    def apply(self, rows: Matrix) -> Matrix:
        with np.errstate(over="ignore"):  # to infinity
            return rows.astype(np.float32).astype(np.float64)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Cast", [nodes.add("Cast", [x], to=FLOAT)], to=DOUBLE)
