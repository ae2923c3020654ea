"""Reasons of a portfolio are those of the service, applicant by applicant."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.contract import Field
from model.reasons import name_reasons
from score.answers import ReasonWords, largest_fields

FIELDS = tuple(Field(f"f{i}", f"F {i}", "", "number", (), None, None, True, f"why {i}") for i in range(4))


@given(
    rows=st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5, 2.0]) | st.floats(-9, 9), min_size=4, max_size=4), min_size=1
    ),
    most=st.integers(1, 6),
    gaps=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_reasons_are_those_of_the_service(rows: list[list[float]], most: int, gaps: list[bool]) -> None:
    """Fields that raised the risk, largest first, the first of equals first; a gap is called a gap."""
    row = np.where(gaps, np.nan, 1.0)
    found = largest_fields(np.array(rows), most)
    columns = ReasonWords(FIELDS).columns(found, np.isnan(row)[found])

    for number, contributions in enumerate(rows):
        named = name_reasons(row, np.array(contributions), list(FIELDS), most)
        words = [
            (names[number].as_py(), texts[number].as_py()) for names, texts in zip(*[iter(columns)] * 2, strict=True)
        ]
        assert [(reason.field, reason.text) for reason in named] == [pair for pair in words if pair != (None, None)]
