"""Steps that look up the interval of a number: bins, and the interpolation of quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.fitted.steps import DOUBLE, INT64, Builder, Matrix, Owners


def _emit_count(nodes: Builder, x: str, edges: Matrix) -> str:
    """For each cell how many of its column's edges are not above it, int64: (n, k), edges (k, m) → (n, k)."""
    last = nodes.constant(f"{x}_last", np.array([2], np.int64))
    cells = nodes.add("Unsqueeze", [x, last])
    reached = nodes.add("GreaterOrEqual", [cells, nodes.constant(f"{x}_edges", edges)])
    return nodes.add("ReduceSum", [nodes.add("Cast", [reached], to=INT64), last], keepdims=0)


@dataclass(frozen=True, slots=True)
class Bins:
    """The number of a column's edges that are not above a number, which isn't missing. `edges`: for each column."""

    edges: tuple[Matrix, ...]

    def apply(self, rows: Matrix) -> Matrix:
        return np.column_stack(
            [np.searchsorted(edges, rows[:, column], side="right") for column, edges in enumerate(self.edges)]
        ).astype(np.float64)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        longest = max(len(edges) for edges in self.edges)
        padded = np.array([[*edges, *[np.inf] * (longest - len(edges))] for edges in self.edges])
        return nodes.add("Cast", [_emit_count(nodes, x, padded)], to=DOUBLE)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Where a number lies among the quantiles of its column, 0 to 1: the mean of the interpolations from either side.

    `quantiles`: float64, shape (m, k), ascending; `levels`: float64, shape (m,), from 0 to 1.
    """

    quantiles: Matrix
    levels: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        return np.column_stack([self._apply(rows[:, number], at) for number, at in enumerate(self.quantiles.T)])

    def _apply(self, x: Matrix, at: Matrix) -> Matrix:
        up, down = np.interp(x, at, self.levels), np.interp(-x, -at[::-1], -self.levels[::-1])
        return np.where(x == at[0], 0.0, np.where(x == at[-1], 1.0, 0.5 * (up - down)))

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        up = self._interpolate(nodes, x, self.quantiles.T, self.levels)
        turned = nodes.add("Neg", [x])
        down = self._interpolate(nodes, turned, -self.quantiles.T[:, ::-1], -self.levels[::-1])
        half = nodes.constant(f"{x}_half", np.array(0.5))
        result = nodes.add("Mul", [nodes.add("Sub", [up, down]), half])
        for end, value in ((-1, 1.0), (0, 0.0)):
            is_end = nodes.add("Equal", [x, nodes.constant(f"{x}_end", self.quantiles[end])])
            result = nodes.add("Where", [is_end, nodes.constant(f"{x}_value", np.array(value)), result])
        return result

    @staticmethod
    def _interpolate(nodes: Builder, x: str, at: Matrix, values: Matrix) -> str:
        """numpy.interp by column: the segment after the last point that isn't above x. at: (k, m), values: (m,)."""
        width, points = at.shape
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.diff(values) / np.diff(at, axis=1)
        # A segment before the first point, and one after the last, are constant.
        slopes = np.column_stack([np.zeros(width), slopes, np.zeros(width)])
        slopes[~np.isfinite(slopes)] = 0.0
        starts = np.column_stack([at[:, 0], at])
        bases = np.broadcast_to(np.concatenate([values[:1], values]), (width, points + 1))
        place = nodes.add(
            "Add",
            [_emit_count(nodes, x, at), nodes.constant(f"{x}_rows", np.arange(width) * (points + 1))],
        )
        start, base, slope = (
            nodes.add("Gather", [nodes.constant(f"{x}_{name}", table.ravel()), place])
            for name, table in (("starts", starts), ("bases", bases), ("slopes", slopes))
        )
        return nodes.add("Add", [nodes.add("Mul", [slope, nodes.add("Sub", [x, start])]), base])
