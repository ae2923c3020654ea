"""Cells of text tables: missing values, numbers, levels, booleans."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.vocabulary import MISSING_WORDS, match_boolean, match_level, parse_number


def test_missing_words_are_the_defaults_of_pandas() -> None:
    """Training reads its tables with pandas."""
    lines = "".join(f"{row},{word}\n" for row, word in enumerate((*MISSING_WORDS, "none", "-", "x")))

    read = pd.read_csv(io.StringIO(f"row,word\n{lines}"), dtype=str)

    assert read["word"].isna().tolist() == [True] * len(MISSING_WORDS) + [False] * 3


@given(st.floats(allow_nan=False))
def test_the_text_of_a_number_is_the_number(number: float) -> None:
    """To the last bit, also with blanks around it."""
    assert parse_number(f" {number!r}\t") == number


@pytest.mark.parametrize("text", ["", "x", "1_000", "1,5", "٣", "0x1", "1 2", "--1", "1e", "\xa01_0"])
def test_a_text_that_is_no_ascii_number_is_none(text: str) -> None:
    """Python's float would read some of these."""
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "level"),
    [("own", "own"), (" own\t", "own"), (" rent", " rent"), ("rent", None), ("Own", None), ("", None)],
)
def test_blanks_around_a_level_are_ignored_unless_the_level_has_them(text: str, level: str | None) -> None:
    """Upper and lower case are different."""
    assert match_level(text, ("own", " rent")) == level


@pytest.mark.parametrize(
    ("levels", "indexes"),
    [(("False", "True"), (0, 1)), (("TRUE", "x", "false"), (2, 0)), (("own", "rent"), (None, None))],
)
def test_a_boolean_is_the_level_that_spells_it(levels: tuple[str, ...], indexes: tuple[int | None, ...]) -> None:
    """In any case."""
    assert (match_boolean(False, levels), match_boolean(True, levels)) == indexes
