"""Names, texts and numbers mean the same in SQL."""

from __future__ import annotations

import sqlite3

import duckdb
from hypothesis import example, given
from hypothesis import strategies as st

from train.points_table.sql_text import name_columns, quote_name, quote_text, write_comment, write_number

NUMBERS = st.floats(-1e100, 1e100) | st.decimals(-9999, 9999, places=2).map(float)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1)


@given(NUMBERS)
@example(5e-324)
@example(6.832973599135012e-304)
@example(1.1754943508222875e-300)
@example(0.1 + 0.2)
@example(2.0**53 - 1)
def test_a_number_is_read_as_the_same_double(number: float) -> None:
    """To the last bit, by an engine that reads decimals exactly and by one that may not."""
    query = f"SELECT {write_number(number)}"

    with sqlite3.connect(":memory:") as lite:
        assert lite.execute(query).fetchone() == (number,)
    assert duckdb.execute(query).fetchone() == (number,)


@given(TEXTS)
def test_a_text_and_a_name_are_read_as_they_are(text: str) -> None:
    """Whatever quotes and line breaks they have."""
    with sqlite3.connect(":memory:") as connection:
        found = connection.execute(f"{write_comment(text)}\nSELECT {quote_text(text)} AS {quote_name(text)}")

        assert found.fetchone() == (text,)
        assert found.description[0][0] == text


@given(st.lists(st.text(max_size=40).map(lambda text: text * 3), max_size=8), st.lists(TEXTS, max_size=3))
def test_columns_have_different_names_of_at_most_63_bytes(wanted: list[str], taken: list[str]) -> None:
    """Without regard to case, and other ones than those that are taken."""
    names = name_columns(wanted, taken)

    lowered = [name.lower() for name in names]
    assert len(set(lowered)) == len(wanted)
    assert all(len(name.encode()) <= 63 for name in names)
    assert not set(lowered) & {name.encode()[:63].decode(errors="ignore").lower() for name in taken}
