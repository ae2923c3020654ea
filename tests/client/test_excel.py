"""The first sheet of an Excel workbook as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.excel import ENCRYPTED, OLD_MAGIC, ExcelError, is_workbook, read_first_sheet
from tests.client.workbooks import Cell, write_workbook


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("rent", "rent"),
        (" a\nb ", "a\nb"),
        ("1,5", "1,5"),
        ("", ""),
        (None, ""),
        (16.0, "16"),
        (-3.0, "-3"),
        (1300.5, "1300.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"),
        (True, "True"),
        (False, "False"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 12, 30), "2026-01-02 12:30:00"),
    ],
)
def test_a_cell_is_written_as_text(cell: Cell, text: str) -> None:
    """Numbers exactly, whole ones without .0; dates as in ISO 8601."""
    sheet = read_first_sheet(write_workbook({"S": [["x", "y"], [cell, "z"]]}))

    assert list(csv.reader(io.StringIO(sheet.content.decode(), newline=""))) == [["x", "y"], [text, "z"]]


def test_blank_rows_are_left_out_and_the_others_keep_their_numbers() -> None:
    """Also above the header; only the first sheet is read."""
    workbook = write_workbook({"Loans": [[None], ["x"], [1.0], [None], [" "], [2.0]], "Notes": [["more"]]})

    sheet = read_first_sheet(workbook)

    assert (sheet.name, sheet.n_sheets, sheet.content, sheet.rows) == ("Loans", 2, b"x\r\n1\r\n2\r\n", (2, 3, 6))


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (write_workbook({"S": [["x"]]})[:-40], "excel.broken"),
        (b"PK\x03\x04 and no more", "excel.broken"),
        (OLD_MAGIC + bytes(600), "excel.old"),
        (OLD_MAGIC + bytes(600) + ENCRYPTED + bytes(600), "excel.password"),
    ],
)
def test_what_can_not_be_read_is_an_excel_error(content: bytes, key: str) -> None:
    """A broken file, one with a password, an old one."""
    assert is_workbook(content)
    with pytest.raises(ExcelError) as caught:
        read_first_sheet(content)

    assert caught.value.key == key


@given(st.integers(0, 2_000), st.binary(max_size=4))
def test_a_damaged_workbook_is_read_or_an_excel_error(place: int, new: bytes) -> None:
    """No other exception is raised."""
    content = write_workbook({"S": [["x", "y"], [1.0, "a"]]})
    try:
        read_first_sheet(content[:place] + new + content[place + len(new) :])
    except ExcelError:
        return
