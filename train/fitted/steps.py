"""Preprocessing as steps on a float64 matrix; each can be applied in numpy and written as nodes of a graph.

The operations and their order are those of the fitted transformer, so that results are bit-identical to the library's.
A category travels as the index of its level (fitted/model.py), a missing value as NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

Owners: TypeAlias = "tuple[frozenset[int], ...]"
"""For each column the numbers of the input fields that it is computed from."""

DOUBLE, INT64 = 11, 7
"""Types of onnx.TensorProto; onnx isn't imported here."""


class Builder(Protocol):
    """The part of export/branch.py that steps need: adding constants and nodes, each returns the tensor's name."""

    def constant(self, name: str, value: npt.NDArray[Any]) -> str: ...

    def add(self, op_type: str, inputs: list[str], output: str = "", **attributes: Any) -> str: ...

    def leaves(self, x: str, trees: list[Any]) -> str: ...


class Step(Protocol):
    """A function of rows, float64, (n, k) → (n, m)."""

    def apply(self, rows: Matrix) -> Matrix:
        """The result for these rows."""

    def follow(self, owners: Owners) -> Owners:
        """The owners of the result's columns, given those of its input."""

    def emit(self, nodes: Builder, x: str) -> str:
        """Add the nodes; returns the name of the result."""


Steps: TypeAlias = "tuple[Step, ...]"


def apply_steps(steps: Sequence[Step], rows: Matrix) -> Matrix:
    """The result of all steps, float64, shape (n, n_columns)."""
    for step in steps:
        rows = step.apply(rows)
    return rows


def follow_steps(steps: Sequence[Step], owners: Owners) -> Owners:
    """The owners of the last step's columns."""
    for step in steps:
        owners = step.follow(owners)
    return owners


def emit_steps(steps: Sequence[Step], nodes: Builder, x: str) -> str:
    """Add the nodes of all steps; returns the name of the result."""
    for step in steps:
        x = step.emit(nodes, x)
    return x


@dataclass(frozen=True, slots=True)
class Select:
    """Some of the columns, in this order."""

    columns: tuple[int, ...]

    def apply(self, rows: Matrix) -> Matrix:
        return rows[:, list(self.columns)]

    def follow(self, owners: Owners) -> Owners:
        return tuple(owners[column] for column in self.columns)

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Gather", [x, nodes.constant(f"{x}_columns", np.array(self.columns, np.int64))], axis=1)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Several lists of steps on the same rows, their results side by side (ColumnTransformer, FeatureUnion)."""

    branches: tuple[Steps, ...]

    def apply(self, rows: Matrix) -> Matrix:
        return np.concatenate([apply_steps(steps, rows) for steps in self.branches], axis=1)

    def follow(self, owners: Owners) -> Owners:
        return tuple(owner for steps in self.branches for owner in follow_steps(steps, owners))

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Concat", [emit_steps(steps, nodes, x) for steps in self.branches], axis=1)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """x ∘ operand by column; `operand`: float64, shape (k,)."""

    operation: Literal["add", "subtract", "multiply", "divide"]
    operand: Matrix

    _OPERATIONS: ClassVar[dict[str, tuple[Any, str]]] = {
        "add": (np.add, "Add"),
        "subtract": (np.subtract, "Sub"),
        "multiply": (np.multiply, "Mul"),
        "divide": (np.divide, "Div"),
    }

    def apply(self, rows: Matrix) -> Matrix:
        result: Matrix = self._OPERATIONS[self.operation][0](rows, self.operand)
        return result

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        operand = nodes.constant(f"{x}_{self.operation}", self.operand)
        return nodes.add(self._OPERATIONS[self.operation][1], [x, operand])


@dataclass(frozen=True, slots=True)
class Fill:
    """Cells that are missing are replaced by their column's value, float64, shape (k,); NaN leaves them missing.

    `missing`: the number that means missing, NaN itself by default.
    """

    values: Matrix
    missing: float = np.nan

    def apply(self, rows: Matrix) -> Matrix:
        return np.where(self._is_missing(rows), self.values, rows)

    def _is_missing(self, rows: Matrix) -> npt.NDArray[np.bool_]:
        return np.isnan(rows) if np.isnan(self.missing) else rows == self.missing

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Where", [_emit_missing(nodes, x, self.missing), nodes.constant(f"{x}_fill", self.values), x])


@dataclass(frozen=True, slots=True)
class BlankCodes:
    """Numbers that stand for a missing value become missing.

    `codes`: float64, shape (m, k), the numbers of each column, then NaN where a column has fewer than m.
    """

    codes: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        for codes in self.codes:
            rows = np.where(rows == codes, np.nan, rows)
        return rows

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        gap = nodes.constant(f"{x}_gap", np.array(np.nan))
        for number, codes in enumerate(self.codes):
            is_code = nodes.add("Equal", [x, nodes.constant(f"{x}_code_{number}", codes)])
            x = nodes.add("Where", [is_code, gap, x])
        return x


@dataclass(frozen=True, slots=True)
class Indicate:
    """1.0 where a cell is missing, else 0.0. (n, k) → (n, k)."""

    missing: float = np.nan

    def apply(self, rows: Matrix) -> Matrix:
        return (np.isnan(rows) if np.isnan(self.missing) else rows == self.missing).astype(np.float64)

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.add("Cast", [_emit_missing(nodes, x, self.missing)], to=DOUBLE)


def _emit_missing(nodes: Builder, x: str, missing: float) -> str:
    if np.isnan(missing):
        return nodes.add("IsNaN", [x])
    return nodes.add("Equal", [x, nodes.constant(f"{x}_missing", np.array(missing))])


@dataclass(frozen=True, slots=True)
class OneHot:
    """1.0 where x[source[c]] equals level[c] (NaN equals NaN), else 0.0. (n, k) → (n, len(source))."""

    source: tuple[int, ...]
    level: Matrix

    def apply(self, rows: Matrix) -> Matrix:
        values = rows[:, list(self.source)]
        is_level: npt.NDArray[np.bool_] = (values == self.level) | (np.isnan(values) & np.isnan(self.level))
        return is_level.astype(np.float64)

    def follow(self, owners: Owners) -> Owners:
        return tuple(owners[column] for column in self.source)

    def emit(self, nodes: Builder, x: str) -> str:
        source = nodes.constant(f"{x}_source", np.array(self.source, np.int64))
        values = nodes.add("Gather", [x, source], axis=1)
        hot = nodes.add("Equal", [values, nodes.constant(f"{x}_level", self.level)])
        if np.isnan(self.level).any():
            gap = nodes.constant(f"{x}_is_gap", np.isnan(self.level))
            hot = nodes.add("Or", [hot, nodes.add("And", [nodes.add("IsNaN", [values]), gap])])
        return nodes.add("Cast", [hot], to=DOUBLE)


@dataclass(frozen=True, slots=True)
class Recode:
    """Values of one column replaced: `known[i]` by `values[i]`, any other by `other`. (n, 1) → (n, 1).

    NaN in `known` is a missing value. `known` and `values`: float64, shape (m,).
    """

    known: Matrix
    values: Matrix
    other: float

    def apply(self, rows: Matrix) -> Matrix:
        result = np.full(rows.shape, self.other)
        for known, value in zip(self.known.tolist(), self.values.tolist(), strict=True):
            result[np.isnan(rows) if np.isnan(known) else rows == known] = value
        return result

    def follow(self, owners: Owners) -> Owners:
        return owners

    def emit(self, nodes: Builder, x: str) -> str:
        hot = OneHot((0,) * len(self.known), self.known).emit(nodes, x)
        # A one-hot row selects the place of its value; a row of zeros selects `other`.
        places = nodes.constant(f"{x}_places", np.arange(1.0, len(self.known) + 1)[:, None])
        place = nodes.add("Cast", [nodes.add("MatMul", [hot, places])], to=INT64)
        values = nodes.constant(f"{x}_values", np.concatenate([[self.other], self.values]))
        return nodes.add("Gather", [values, place])


@dataclass(frozen=True, slots=True)
class IsMember:
    """1.0 where x[source[c]] is in sets[c], else 0.0; for splits on native categories. (n, k) → (n, len(source))."""

    source: tuple[int, ...]
    sets: tuple[tuple[float, ...], ...]

    def apply(self, rows: Matrix) -> Matrix:
        return np.column_stack(
            [np.isin(rows[:, column], members) for column, members in zip(self.source, self.sets, strict=True)]
        ).astype(np.float64)

    def follow(self, owners: Owners) -> Owners:
        return tuple(owners[column] for column in self.source)

    def emit(self, nodes: Builder, x: str) -> str:
        pairs = sorted(
            {(column, value) for column, members in zip(self.source, self.sets, strict=True) for value in members}
        )
        if not pairs:
            pairs = [(0, np.inf)]
        hot = OneHot(tuple(column for column, _ in pairs), np.array([value for _, value in pairs])).emit(nodes, x)
        place = {pair: number for number, pair in enumerate(pairs)}
        chosen = np.zeros((len(pairs), len(self.source)))
        for number, (column, members) in enumerate(zip(self.source, self.sets, strict=True)):
            chosen[[place[column, value] for value in members], number] = 1.0
        return nodes.add("MatMul", [hot, nodes.constant(f"{x}_members", chosen)])
