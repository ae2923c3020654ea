"""The bins of one field, as a function of applicants that training, proof and graph share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.fitted.binning import Intervals, make_exact
from train.fitted.steps import Matrix

Places = npt.NDArray[np.int64]
"""Numbers of bins or cells, or points."""


@dataclass(frozen=True, slots=True)
class FieldBins:
    """How the column of a field is cut: into edges or groups of levels, as in model/scorecard.py."""

    column: int
    edges: tuple[float, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def count(self) -> int:
        """The number of bins without that of missing values, which is the last one."""
        return len(self.groups) or len(self.edges) + 1

    def map(self, values: Sequence[float]) -> Intervals:
        """The function of the field with these values of its bins and, last, of missing values."""
        missing = float(values[self.count])
        if not self.groups:
            ends = np.nextafter(np.array(self.edges, dtype=np.float64), -np.inf)
            return Intervals(self.column, ends, np.array(values[: self.count], dtype=np.float64), missing)
        by_level = {float(level): float(values[bin]) for bin, group in enumerate(self.groups) for level in group}
        return make_exact(self.column, by_level, missing, missing)

    def place(self, rows: Matrix) -> Places:
        """The bin of each row, int64, shape (n,)."""
        return self.map(range(self.count + 1)).apply(rows).astype(np.int64)
