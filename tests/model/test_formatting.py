"""Number formats of the documents."""

from __future__ import annotations

import math

import pytest

from model.estimates import Estimate
from model.formatting import (
    format_amount,
    format_count,
    format_decimal,
    format_estimate,
    format_percent,
    format_percent_estimate,
)
from train.report.formatting import format_range

UNKNOWN = Estimate(math.nan, 0.0, 1.0)


@pytest.mark.parametrize(
    ("formatted", "text"),
    [
        (format_count(4454), "4,454"),
        (format_decimal(0.42794, 4), "0.4279"),
        (format_decimal(-1.2), "−1.200"),
        (format_decimal(None), "–"),
        (format_amount(1500.0), "1,500"),
        (format_amount(0.25), "0.25"),
        (format_percent(0.1234), "12.3%"),
        (format_percent(math.nan), "–"),
        (format_estimate(Estimate(0.8432, 0.831, 0.856)), "0.843 (0.831–0.856)"),
        (format_estimate(Estimate(-0.0001, -0.196, 0.198)), "0.000 (−0.196 to 0.198)"),
        (format_estimate(UNKNOWN), "–"),
        (format_percent_estimate(Estimate(0.1234, 0.101, 0.148)), "12.3% (10.1–14.8)"),
        (format_percent_estimate(UNKNOWN), "–"),
        (format_range(None, None), "all"),
        (format_range(None, 540), "under 540"),
        (format_range(540, 560), "540–559"),
        (format_range(560, None), "560 or more"),
    ],
)
def test_numbers_are_formatted_for_reading(formatted: str, text: str) -> None:
    """Thousands separators, fixed decimals, intervals, U+2212 for minus, a dash for unknown values."""
    assert formatted == text
