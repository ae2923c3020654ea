"""Links: functions from a classifier's value to a probability, as a tuple of them, applied in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from train.fitted.steps import Builder, Matrix


@dataclass(frozen=True, slots=True)
class Affine:
    """slope · x + offset."""

    slope: float
    offset: float

    def apply(self, values: Matrix) -> Matrix:
        return values * self.slope + self.offset

    def emit(self, nodes: Builder, x: str) -> str:
        scaled = nodes.add("Mul", [x, nodes.constant(f"{x}_slope", np.array(self.slope))])
        return nodes.add("Add", [scaled, nodes.constant(f"{x}_offset", np.array(self.offset))])


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """1 / (1 + exp(−x))."""

    def apply(self, values: Matrix) -> Matrix:
        # Without overflow for large negative values: exp is only taken of negative numbers.
        decay = np.exp(-np.abs(values))
        result: Matrix = np.where(values >= 0, 1 / (1 + decay), decay / (1 + decay))
        return result

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Sigmoid", [x])


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Linear interpolation between points, constant beyond them (isotonic calibration).

    `at` ascending, and `values`: float64, shape (m,), m ≥ 1.
    """

    at: Matrix
    values: Matrix

    def apply(self, values: Matrix) -> Matrix:
        return np.interp(values, self.at, self.values)

    def emit(self, nodes: Builder, x: str) -> str:
        if len(self.at) == 1:
            zero = nodes.add("Mul", [x, nodes.constant(f"{x}_zero", np.array(0.0))])
            return nodes.add("Add", [zero, nodes.constant(f"{x}_value", np.array(self.values[0]))])
        low, high = (nodes.constant(f"{x}_{name}", np.array(self.at[end])) for name, end in (("low", 0), ("high", -1)))
        inside = nodes.add("Max", [nodes.add("Min", [x, high]), low])
        column = nodes.add("Unsqueeze", [inside, nodes.constant(f"{x}_last", np.array([1]))])
        reached = nodes.add("GreaterOrEqual", [column, nodes.constant(f"{x}_inner", self.at[None, 1:-1])])
        counted = nodes.add("Cast", [reached], to=7)  # int64
        place = nodes.add("ReduceSum", [counted, nodes.constant(f"{x}_all", np.array([1]))], keepdims=0)
        slopes = np.diff(self.values) / np.diff(self.at)
        picked = {
            name: nodes.add("Gather", [nodes.constant(f"{x}_{name}", array), place])
            for name, array in (("starts", self.at[:-1]), ("bases", self.values[:-1]), ("slopes", slopes))
        }
        distance = nodes.add("Sub", [inside, picked["starts"]])
        between = nodes.add("Add", [nodes.add("Mul", [distance, picked["slopes"]]), picked["bases"]])
        # At the last point itself the segment's formula may be an ulp off.
        is_last = nodes.add("GreaterOrEqual", [x, high])
        return nodes.add("Where", [is_last, nodes.constant(f"{x}_last_value", np.array(self.values[-1])), between])


@dataclass(frozen=True, slots=True)
class Odds:
    """Odds multiplied by a factor: p → factor · p / (1 − p + factor · p); corrects a probability for its prior."""

    factor: float

    def apply(self, values: Matrix) -> Matrix:
        scaled = self.factor * values
        return scaled / ((1 - values) + scaled)

    def emit(self, nodes: Builder, x: str) -> str:
        scaled = nodes.add("Mul", [x, nodes.constant(f"{x}_factor", np.array(self.factor))])
        rest = nodes.add("Sub", [nodes.constant(f"{x}_one", np.array(1.0)), x])
        return nodes.add("Div", [scaled, nodes.add("Add", [rest, scaled])])


Link: TypeAlias = "Affine | Sigmoid | Interpolation | Odds"
Links: TypeAlias = "tuple[Link, ...]"

COMPLEMENT = Affine(-1.0, 1.0)
"""The probability of the other class."""


def apply_links(links: Sequence[Link], values: Matrix) -> Matrix:
    """The result of all links, of the shape of `values`."""
    for link in links:
        values = link.apply(values)
    return values
