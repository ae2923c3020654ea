"""Reading a table of applicants from the CSV that spreadsheets export."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.language import Language
from client.responses import Field
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
def test_separators_decimal_marks_and_encodings_are_detected(content: bytes, fields: tuple[Field, ...]) -> None:
    """Commas, semicolons, tabs, decimal commas, a byte-order mark, cp1252 and empty lines give the same table."""
    table = read_table("t.csv", content, fields)

    assert table.ids == ("A", "B")
    assert table.applicants == (
        {"Amount": 1300.5, "Income": None, "Home": "rent"},
        {"Amount": 2.0, "Income": None, "Home": None},
    )


def test_rows_without_ids_are_numbered(fields: tuple[Field, ...]) -> None:
    """A column with repeated values is no id."""
    table = read_table("t.csv", b"x,Amount,Income,Home\na,1,2,own\na,3,4,rent\n", fields)

    assert table.ids == ("1", "2")


def test_a_cell_that_cannot_be_parsed_is_kept_as_text(fields: tuple[Field, ...]) -> None:
    """The service then says what is wrong with it."""
    table = read_table("t.csv", b"id,Amount,Income,Home\n1,lots,inf,castle\n", fields)

    assert table.applicants == ({"Amount": "lots", "Income": "inf", "Home": "castle"},)


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
def test_an_unusable_file_is_a_table_error(
    content: bytes, key: str, fields: tuple[Field, ...], english: Language
) -> None:
    """It has the key of its message and every placeholder of that message."""
    with pytest.raises(TableError) as caught:
        read_table("t.csv", content, fields)

    assert caught.value.key == key
    assert "t.csv" in english.text(key, **caught.value.values)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_table_error(content: bytes) -> None:
    """No other exception is raised."""
    try:
        table = read_table("t.csv", content, FIELDS)
    except TableError:
        return
    assert len(table.ids) == len(table.applicants)
