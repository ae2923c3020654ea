"""One input of the graph as rules and amounts of money refer to it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Matrix = npt.NDArray[np.float64]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """A field by its name and its column of `applicants`; `missing`: numbers that stand for a missing value."""

    field: str
    column: int
    missing: tuple[float, ...] = ()

    def read(self, applicants: Matrix) -> Matrix:
        """Its values, NaN = missing: float64, shape (n, n_fields) → (n,)."""
        values = applicants[:, self.column]
        for code in self.missing:
            values = np.where(values == code, np.nan, values)
        return values
