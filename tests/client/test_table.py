"""Tables of applicants, as people's spreadsheets write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.answers import Field
from client.table import TableError, read_table
from tests.client.conftest import FIELDS


@pytest.mark.parametrize(
    "content",
    [
        b"id,Amount,Income,Home,Else\nA,1300.5,,rent,x\nB,2,NA,,y\n",
        b"\xef\xbb\xbfid;Amount;Income;Home;Else\r\nA;1 300,5;;rent;x\r\nB;2;NA;;y\r\n",
        "id;Amount;Income;Home;Else\nA;1\u202f300,5;;rent;é\nB;2;NA;;y\n".encode(),
        "id;Amount;Income;Home;Else\nA;1300,5;;rent;é\n\nB;2;NA;;y".encode("cp1252"),
        b'id\tAmount\tIncome\tHome\tElse\nA\t"1300.5"\t\trent\tx\nB\t2\tNA\t\ty\n',
    ],
)
def test_commas_semicolons_and_tabs_are_understood(content: bytes, fields: tuple[Field, ...]) -> None:
    """With decimal points and decimal commas, byte-order mark, Windows code page, empty lines."""
    table = read_table("t.csv", content, fields)

    assert ("A", "B") == table.ids
    assert (
        {"Amount": 1300.5, "Income": None, "Home": "rent"},
        {"Amount": 2.0, "Income": None, "Home": None},
    ) == table.applicants


def test_rows_without_ids_are_numbered(fields: tuple[Field, ...]) -> None:
    """A column that repeats itself names nobody."""
    table = read_table("t.csv", b"x,Amount,Income,Home\na,1,2,own\na,3,4,rent\n", fields)

    assert ("1", "2") == table.ids


def test_a_cell_that_cannot_be_read_is_kept_as_it_is(fields: tuple[Field, ...]) -> None:
    """The service says what is wrong with it."""
    table = read_table("t.csv", b"id,Amount,Income,Home\n1,lots,inf,castle\n", fields)

    assert ({"Amount": "lots", "Income": "inf", "Home": "castle"},) == table.applicants


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "table.empty"),
        (b"id,Amount,Income,Home\n", "table.empty"),
        (b"id,Amount\n1,2\n", "table.no_column"),
        (b"id,Amount,Income,Home\n1,2,3,own,5\n", "table.ragged"),
        (b'id,Amount,Income,Home\n1,2,3,"own\n', "table.unreadable"),
        (b"\x89PNG\r\n\x1a\n\0\0", "table.no_column"),
    ],
)
def test_what_is_no_table_says_why(content: bytes, key: str, fields: tuple[Field, ...]) -> None:
    """With everything the text of that reason needs."""
    with pytest.raises(TableError) as caught:
        read_table("t.csv", content, fields)

    assert key == caught.value.key
    assert "t.csv" == caught.value.values["file"]


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    """They are a table or a TableError."""
    try:
        table = read_table("t.csv", content, FIELDS)
    except TableError:
        return
    assert len(table.ids) == len(table.applicants)
