"""Columns of the results: reasons are those of the service."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.contract import Field
from model.reasons import name_reasons
from score.result_columns import Ranked, largest_fields, reason_arrays

FIELDS = tuple(Field(f"f{i}", f"F {i}", "", "number", (), None, None, True, f"why {i}") for i in range(4))


@given(
    rows=st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5, 2.0]) | st.floats(-9, 9), min_size=4, max_size=4), min_size=1
    ),
    max_reasons=st.integers(1, 6),
    gaps=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_reasons_are_those_of_the_service(rows: list[list[float]], max_reasons: int, gaps: list[bool]) -> None:
    """Also their order among equal contributions, and the text of a missing value."""
    row = np.where(gaps, np.nan, 1.0)
    largest = largest_fields(np.array(rows), max_reasons)
    columns = reason_arrays(Ranked(largest, np.isnan(row)[largest]), FIELDS)

    for number, contributions in enumerate(rows):
        named = name_reasons(row, np.array(contributions), list(FIELDS), max_reasons)
        words = [
            (names[number].as_py(), texts[number].as_py()) for names, texts in zip(*[iter(columns)] * 2, strict=True)
        ]
        assert [(reason.field, reason.text) for reason in named] == [pair for pair in words if pair != (None, None)]
