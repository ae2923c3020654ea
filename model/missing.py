"""Numbers that stand for a missing value, such as 365243 days of employment: `Field.missing`, by the dataset card.

The graph takes them as missing, so that such a number and an empty cell have the same score at every door. Applicants
keep the number that was sent: in the bins, in records, in what is returned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.contract import Field
from model.session import Matrix


def blank_codes(rows: Matrix, fields: Sequence[Field]) -> Matrix:
    """The rows, float64, shape (n, n_fields), with NaN for numbers that stand for a missing value.

    A copy, unless no field has such numbers.
    """
    coded = [column for column, field in enumerate(fields) if field.missing]
    if not coded:
        return rows
    blanked = rows.copy()
    for column in coded:
        blanked[np.isin(rows[:, column], fields[column].missing), column] = np.nan
    return blanked
