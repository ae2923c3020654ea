"""The table of applicants as the service reads it, in front of a running one."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from client.api import Api, ApiUnreachable
from client.language import Language
from client.responses import Dialect, Field
from client.table import NO_OPTIONS, Options, Table, TableError, read_table
from tests.client.workbooks import write_workbook

NAMES = ["Seniority", "Home", "Time", "Records", "Job", "Expenses", "Income", "Assets", "Debt", "Amount", "Price"]
ROWS = [["5", "rent", "48", "no", "fixed", "60", "140.5", "0", "0", "1300", "1700"]] * 2
APPLICANT = {
    name: cell if name in ("Home", "Records", "Job") else float(cell) for name, cell in zip(NAMES, ROWS[0], strict=True)
}
CLEAN = "\n".join([",".join(["id", *NAMES]), ",".join(["A", *ROWS[0]]), ",".join(["B", *ROWS[1]])])


@pytest.fixture(scope="module")
def api(service: str) -> Iterator[Api]:
    """A client of the running service."""
    with httpx.HTTPTransport() as transport:
        yield Api(service, transport=transport)


@pytest.fixture(scope="module")
def served_fields(api: Api) -> tuple[Field, ...]:
    """The fields of its model."""
    return api.model().fields


def error_of(api: Api, content: bytes, fields: tuple[Field, ...], options: Options = NO_OPTIONS) -> TableError:
    """Why a table can't be read."""
    with pytest.raises(TableError) as caught:
        read_table(api, "t.csv", content, fields, options)
    return caught.value


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (CLEAN.encode(), Dialect(",", ".", "utf-8")),
        (CLEAN.replace(",", ";").replace(".", ",").encode("cp1252"), Dialect(";", ",", "utf-8")),
        (CLEAN.replace(",", "\t").replace("A\t", "é\t").encode("cp1252"), Dialect("\t", ".", "cp1252")),
        (CLEAN.replace(",", "|").encode("utf-16"), Dialect("|", ".", "utf-16-le")),
        (CLEAN.replace("\n", "\r").encode(), Dialect(",", ".", "utf-8")),
        (gzip.compress(CLEAN.encode(), mtime=0), Dialect(",", ".", "utf-8")),
    ],
    ids=["comma", "semicolon", "tab, cp1252", "pipe, UTF-16", "CR", "gzip"],
)
def test_a_table_has_the_same_applicants_in_every_dialect(
    api: Api, served_fields: tuple[Field, ...], content: bytes, dialect: Dialect
) -> None:
    """And the dialect that the service has found."""
    table = read_table(api, "t.csv", content, served_fields, NO_OPTIONS)

    assert table.applicants == (APPLICANT, APPLICANT)
    assert table.ids in [("A", "B"), ("é", "B")]
    assert (table.lines, table.faults, table.dialect) == ((2, 3), {}, dialect)


def test_a_workbook_has_the_same_applicants(api: Api, served_fields: tuple[Field, ...]) -> None:
    """Its lines are the rows of its first sheet; a note in a cell with a line break changes nothing."""
    header = [["id", "note\n(own)", "since", *NAMES]]
    rows = [[name, "two\nlines", date(2026, 1, 2), *APPLICANT.values()] for name in ("A", "B")]
    content = write_workbook({"Loans": [[None], *header, rows[0], [None], rows[1]], "Notes": [["x"]]})

    table = read_table(api, "t.xlsx", content, served_fields, NO_OPTIONS)

    assert table.applicants == (APPLICANT, APPLICANT)
    assert (table.ids, table.lines, table.faults) == (("A", "B"), (3, 5), {})
    assert table.sheet is not None
    assert (table.sheet.name, table.sheet.n_sheets) == ("Loans", 2)


def test_a_row_with_faults_is_kept(api: Api, served_fields: tuple[Field, ...]) -> None:
    """A number that can't be read is missing, an unknown level stays, a short line has no values."""
    lines = CLEAN.splitlines()
    content = "\n".join([lines[0], lines[1].replace("140.5", "lots").replace("rent", "castle"), "B,5", lines[2]])

    table = read_table(api, "t.csv", content.encode(), served_fields, NO_OPTIONS)

    assert table.applicants == (
        APPLICANT | {"Income": None, "Home": "castle"},
        dict.fromkeys(NAMES, None),
        APPLICANT,
    )
    assert table.faults == {
        0: "Home: expected one of: ignore, other, owner, parents, priv, rent, got 'castle'; "
        "Income: expected a number in currency units, got 'lots'",
        1: "expected 12 cells, as the header has, got 2",
    }
    assert (table.ids, table.lines) == (("A", "#2", "B"), (2, 3, 4))
    assert table.sound == (APPLICANT,)


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (["id", "A", "A", "B"], ("A #1", "A #2", "B")),
        (["dossier", "7", "", "9"], ("7", "#2", "9")),
        (["note", "", "", ""], ("1", "2", "3")),
    ],
)
def test_rows_with_the_same_or_no_id_are_told_apart(
    api: Api, served_fields: tuple[Field, ...], column: list[str], ids: tuple[str, ...]
) -> None:
    """By their numbers."""
    lines = [",".join(NAMES), *[",".join(ROWS[0])] * 3]
    content = "\n".join(f"{cell},{line}" for cell, line in zip(column, lines, strict=True))

    assert read_table(api, "t.csv", content.encode(), served_fields, NO_OPTIONS).ids == ids


AMBIGUOUS = CLEAN.replace("140.5", "140").replace("1300", '"1,300"', 1)


def test_a_number_that_can_be_read_two_ways_is_asked(api: Api, served_fields: tuple[Field, ...]) -> None:
    """The message has both options; with one of them the table is read."""
    refused = error_of(api, AMBIGUOUS.encode(), served_fields)
    read = {
        decimal: read_table(api, "t.csv", AMBIGUOUS.encode(), served_fields, Options(decimal=decimal))
        for decimal in (".", ",")
    }

    assert (refused.key, refused.values["line"]) == ("table.refused_line", "2, Amount")
    assert refused.values["detail"].startswith("'1,300' is 1300 with a decimal point and 1.3 with a decimal comma")
    assert {decimal: table.applicants[0]["Amount"] for decimal, table in read.items()} == {".": 1300.0, ",": 1.3}
    assert len({table.sha256 for table in read.values()}) == 2


@pytest.mark.parametrize(
    ("content", "key", "detail"),
    [
        (b"", "table.refused", "the table is empty"),
        (CLEAN.splitlines()[0].encode(), "table.empty", ""),
        (b"id,Amount\n1,2\n", "table.refused_line", "the table has no column 'Seniority', "),
        (CLEAN.replace(",rent", ',"rent', 1).encode(), "table.refused", "line 2: a cell begins with a quote"),
        (b"\x89PNG\r\n\x1a\n\0\0", "table.refused_line", "the table has no"),
        (b"\x1f\x8b and no more", "table.refused", "the body can't be decompressed"),
        (b"PK\x03\x04 and no more", "excel.broken", ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel.old", ""),
        (write_workbook({"S": [["a"], ["b"]]}), "table.refused", "the table has none of the fields of the model"),
        (write_workbook({"S": [[]]}), "table.refused", "the table is empty"),
        (b"a," * 4_000_000, "table.too_large", "the body: got 8,000,000 bytes, expected at most 4,194,304"),
    ],
)
def test_an_unusable_file_is_a_table_error(
    api: Api,
    served_fields: tuple[Field, ...],
    english: Language,
    french: Language,
    content: bytes,
    key: str,
    detail: str,
) -> None:
    """It has the key of its message and every placeholder of that message."""
    error = error_of(api, content, served_fields)

    assert error.key == key
    assert error.values.get("detail", "").startswith(detail)
    assert "t.csv" in english.text(key, **error.values)
    assert "t.csv" in french.text(key, **error.values)


def test_a_service_that_is_gone_is_an_api_error(served_fields: tuple[Field, ...]) -> None:
    """As for a single applicant."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    with pytest.raises(ApiUnreachable):
        read_table(Api("http://test", transport=httpx.MockTransport(fail)), "t", b"a", served_fields, NO_OPTIONS)


def test_the_table_goes_out_as_it_is(make_api: Callable[..., Api], fields: tuple[Field, ...]) -> None:
    """With the options in the query; an .xlsx as CSV of a known dialect."""
    seen: list[httpx.Request] = []
    row: dict[str, Any] = {"line": 2, "id": None, "applicant": None, "faults": [{"field": None, "detail": "short"}]}
    answer = {"read_as": "", "dialect": {"separator": ";", "decimal": None, "encoding": "utf-8"}, "rows": [row]}
    api = make_api(200, answer, seen=seen)

    tables: list[Table] = [
        read_table(api, "t", content, fields, options)
        for content, options in (
            (b"a\n1", NO_OPTIONS),
            (b"\x1f\x8b1", Options("\t", ",")),
            (write_workbook({"S": [["a"], ["b"]]}), Options(";", ",")),
        )
    ]

    sent = [
        (one.url.query, one.content, one.headers["content-type"], one.headers.get("content-encoding")) for one in seen
    ]
    assert sent == [
        (b"", b"a\n1", "text/csv", None),
        (b"separator=%09&decimal=%2C", b"\x1f\x8b1", "text/csv", "gzip"),
        (b"separator=%2C&decimal=.", b"a\r\nb\r\n", "text/csv; charset=utf-8", None),
    ]
    assert [table.faults for table in tables] == [{0: "short"}] * 3
