"""Steps whose columns are computed from several columns: projections and products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.fitted.steps import Builder, Matrix, Owners


@dataclass(frozen=True, slots=True)
class Project:
    """x · weights + offset: `weights` float64, shape (k, m), `offset` float64, shape (m,)."""

    weights: Matrix
    offset: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        return rows @ self.weights + self.offset

    def follow(self, owners: Owners) -> Owners:
        return tuple(
            frozenset().union(*(owners[column] for column in np.flatnonzero(weights))) for weights in self.weights.T
        )

    def emit(self, nodes: Builder, x: str) -> str:
        weights, offset = nodes.constant(f"{x}_weights", self.weights), nodes.constant(f"{x}_offset", self.offset)
        return nodes.add("Gemm", [x, weights, offset])


@dataclass(frozen=True, slots=True)
class Products:
    """The product of some columns for each column of the result, from the last factor to the first; of none: 1.0."""

    factors: tuple[tuple[int, ...], ...]

    def apply(self, rows: Matrix) -> Matrix:
        padded = np.column_stack([rows, np.ones(len(rows))])
        first, *rest = self._places()
        result = padded[:, first]
        for places in rest:
            result = result * padded[:, places]
        return result

    def _places(self) -> list[list[int]]:
        """The factors of all products by position, the last one first; −1, a column of ones, after the first one."""
        longest = max((len(factors) for factors in self.factors), default=0)
        turned = [[*factors[::-1], *[-1] * (longest - len(factors))] for factors in self.factors]
        return [list(places) for places in zip(*turned, strict=True)] or [[-1] * len(self.factors)]

    def follow(self, owners: Owners) -> Owners:
        return tuple(frozenset().union(*(owners[column] for column in factors)) for factors in self.factors)

    def emit(self, nodes: Builder, x: str) -> str:
        one = nodes.constant(f"{x}_one", np.array(1.0))
        column = nodes.add("Gather", [x, nodes.constant(f"{x}_first", np.array([0], np.int64))], axis=1)
        is_itself = nodes.add("Equal", [column, column])
        ones = nodes.add("Where", [is_itself, one, one])
        padded = nodes.add("Concat", [x, ones], axis=1)
        result = ""
        for places in self._places():
            factor = nodes.add("Gather", [padded, nodes.constant(f"{x}_factors", np.array(places, np.int64))], axis=1)
            result = nodes.add("Mul", [result, factor]) if result else factor
        return result
