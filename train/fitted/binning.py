"""Steps that replace a value by that of its bin, and the bins of several columns by one value (EBM, WOE binning)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from train.fitted.steps import Builder, Matrix, Owners
from train.fitted.trees import Node, Split


@dataclass(frozen=True, slots=True)
class Intervals:
    """A piecewise constant function of one column.

    `ends`: the largest number of each interval but the last, float64, ascending, shape (m,). `values`: of the
    intervals, shape (m + 1,). `missing`: for a missing value.
    """

    source: int
    ends: Matrix
    values: Matrix
    missing: float

    def apply(self, rows: Matrix) -> Matrix:
        """The values for rows, float64, (n, k) → (n,)."""
        x = rows[:, self.source]
        return np.where(np.isnan(x), self.missing, self.values[np.searchsorted(self.ends, x, side="left")])

    def tree(self) -> Node:
        """The same function as a balanced tree."""
        return Split(self.source, math.inf, False, self._subtree(0, len(self.ends)), self.missing)

    def _subtree(self, first: int, last: int) -> Node:
        """The tree of the intervals first … last."""
        if first == last:
            return float(self.values[first])
        middle = (first + last) // 2
        lower, upper = self._subtree(first, middle), self._subtree(middle + 1, last)
        return Split(self.source, float(self.ends[middle]), False, lower, upper)


def make_exact(source: int, values: dict[float, float], other: float, missing: float) -> Intervals:
    """The function that is values[x] where x is one of the keys, `other` at all other numbers."""
    ends: list[float] = []
    results: list[float] = [other]
    for number in sorted(values):
        below = math.nextafter(number, -math.inf)
        if ends and ends[-1] == below:
            results[-1] = values[number]
        else:
            ends.append(below)
            results.append(values[number])
        ends.append(number)
        results.append(other)
    return Intervals(source, np.array(ends), np.array(results), missing)


@dataclass(frozen=True, slots=True)
class Binned:
    """Piecewise constant functions of single columns, side by side. (n, k) → (n, len(functions))."""

    functions: tuple[Intervals, ...]

    def apply(self, rows: Matrix) -> Matrix:
        return np.column_stack([function.apply(rows) for function in self.functions])

    def follow(self, owners: Owners) -> Owners:
        return tuple(owners[function.source] for function in self.functions)

    def emit(self, nodes: Builder, x: str) -> str:
        return nodes.leaves(x, [function.tree() for function in self.functions])


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of tables, each table indexed by the bin numbers in one or more columns. (n, k) → (n, len(tables)).

    `places`: the columns that hold the bin numbers, one for each axis of the table. `parts`: the column whose owners
    each result belongs to, which may be one of several that it depends on.
    """

    tables: tuple[Matrix, ...]
    places: tuple[tuple[int, ...], ...]
    parts: tuple[int, ...]

    def apply(self, rows: Matrix) -> Matrix:
        bins = rows.astype(np.int64)
        cells = [
            table[tuple(bins[:, place] for place in places)]
            for table, places in zip(self.tables, self.places, strict=True)
        ]
        return np.column_stack(cells)

    def follow(self, owners: Owners) -> Owners:
        return tuple(owners[part] for part in self.parts)

    def emit(self, nodes: Builder, x: str) -> str:
        # The place of a cell in the concatenated tables: the table's start plus the sum of bin number × stride.
        width = 1 + max(place for places in self.places for place in places)
        strides = np.zeros((width, len(self.tables)))
        for number, (table, places) in enumerate(zip(self.tables, self.places, strict=True)):
            for axis, place in enumerate(places):
                strides[place, number] += math.prod(table.shape[axis + 1 :])
        starts = np.cumsum([0, *(table.size for table in self.tables[:-1])]).astype(np.float64)
        within = nodes.add("MatMul", [x, nodes.constant(f"{x}_strides", strides)])
        cell = nodes.add("Add", [within, nodes.constant(f"{x}_starts", starts)])
        cells = nodes.constant(f"{x}_cells", np.concatenate([table.ravel() for table in self.tables]))
        return nodes.add("Gather", [cells, nodes.add("Cast", [cell], to=7)], axis=0)  # int64
