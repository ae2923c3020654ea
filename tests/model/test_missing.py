"""Numbers that stand for a missing value, in words and in matrices."""

from __future__ import annotations

import numpy as np

from model.contract import Field
from model.missing import blank_codes
from model.reasons import FieldWarning, find_warnings, name_reasons

DAYS = Field("days", "Days employed", "days", "number", (), -9000.0, 0.0, True, "Short time", missing=(365243.0, -1e4))
AMOUNT = Field("amount", "Amount", "", "number", (), 0.0, 10.0, False, "High amount")


def test_codes_are_blanked_in_their_own_field_only() -> None:
    """The rows themselves stay; without codes they are returned as they are."""
    rows = np.array([[365243.0, 365243.0], [-1e4, 2.0], [-5.0, np.nan]])

    blanked = blank_codes(rows, [DAYS, AMOUNT])

    np.testing.assert_array_equal(blanked, [[np.nan, 365243.0], [np.nan, 2.0], [-5.0, np.nan]])
    assert rows[0, 0] == 365243.0
    assert blank_codes(rows, [AMOUNT, AMOUNT]) is rows


def test_a_code_is_warned_of_as_missing_not_as_out_of_bounds() -> None:
    """Its bounds are those of all other numbers."""
    assert find_warnings(np.array([365243.0, 1.0]), [DAYS, AMOUNT]) == [FieldWarning("days", "Days employed: missing")]
    (warning,) = find_warnings(np.array([5.0, 1.0]), [DAYS, AMOUNT])
    assert "above the documented maximum" in warning.detail


def test_a_code_that_raised_the_risk_is_a_missing_value() -> None:
    """'Short time' would be wrong."""
    (reason,) = name_reasons(np.array([365243.0, 1.0]), np.array([0.5, -0.1]), [DAYS, AMOUNT], 4)

    assert (reason.value, reason.text) == ("missing", "Days employed: missing")
