"""CSV of POST /score: the same answers as for JSON, faults with line numbers, protection against formulas.

tests/serve/schemas/test_tables.py has tables in all dialects.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import MAX_MAGNITUDE, Field
from model.dialect import NO_OPTIONS
from model.policy import Points, Policy
from model.reasons import FieldWarning, Reason
from model.results import SCALARS, Result
from model.session import Model
from serve.schemas.csv import list_columns, read_csv, write_csv
from serve.schemas.limits import MAX_EVENT_LOOP_TABLE_BYTES, Offload
from serve.schemas.problems import MAX_FAULTS, HTTPProblem, InvalidApplicants
from serve.schemas.requests import RequestSchemas, ScoreRequest
from serve.schemas.responses import Fault, ModelIdentity, ScoreResponse
from serve.settings import Settings

MAX_ROWS = 50
DEBT = "Debt/Income~12m"
PLAIN = Policy(5.0, 1.0, None, 1 / 6, 1 / 6, Points())
HEADER = f"Amount,Income,Home,Client,{DEBT}"
CSV = {"content-type": "text/csv; charset=utf-8"}

Fields = tuple[Field, ...]


def read(table: str | bytes, fields: Sequence[Field]) -> ScoreRequest:
    """The request that a table contains."""
    body = table if isinstance(table, bytes) else table.encode()
    return read_csv(RequestSchemas(fields, MAX_ROWS), body, NO_OPTIONS, on_event_loop=False)


def rows_of(table: str | bytes, fields: Sequence[Field]) -> list[list[float | None]]:
    """The rows of a table, None where a value is missing."""
    rows = read(table, fields).rows
    return [[None if value is None or np.isnan(value) else value for value in row] for row in rows]


def answer_of(id: str | int | None, reasons: list[Reason], warnings: list[FieldWarning]) -> ScoreResponse:
    """The answer for one applicant, all its scalars 0."""
    scalars: dict[str, Any] = dict.fromkeys(SCALARS, 0)
    return ScoreResponse(
        [Result(**scalars, id=id, reasons=reasons, warnings=warnings)], ModelIdentity("test", "1", "0")
    )


def faults_of(table: str | bytes, fields: Sequence[Field]) -> list[Fault]:
    """The faults of a table."""
    with pytest.raises(InvalidApplicants, match=": ") as caught:
        read(table, fields)
    return caught.value.problem.errors


ROW = [45.5, 320.0, 1.0, 1.0, 0.75]

SPELLINGS = {
    "comma": f"{HEADER}\n45.5,320,rent,True,0.75\n",
    "semicolon": f"{HEADER};id\n45.5;320;rent;True;0.75;A\n".replace(",", ";"),
    "a spreadsheet's mark and line ends": f"\ufeff{HEADER}\r\n45.5,320,rent,True,0.75\r\n",
    "quotes": f'"Amount",Income,"Home",Client,"{DEBT}"\n"45.5","320","rent","True",0.75',
    "blanks around cells": f"{HEADER}\n 45.5 ,320 , rent,True\t,0.75\n",
    "blank lines": f"\n\n{HEADER}\n\n45.5,320,rent,True,0.75\n\n\n",
    "another order": f"{DEBT},Client,Home,Income,Amount\n0.75,True,rent,320,45.5\n",
    "exponents": f"{HEADER}\n4.55e1,3.2E2,rent,True,75e-2\n",
}


@pytest.mark.parametrize("table", SPELLINGS.values(), ids=SPELLINGS)
def test_a_table_is_read_however_programs_write_it(fields: Fields, table: str) -> None:
    """Any delimiter, quoting, byte order mark, line end and order of columns."""
    assert rows_of(table, fields) == [ROW]


@pytest.mark.parametrize("cell", ["", " ", "NA", "null", "NaN", "None", "#N/A", " n/a "])
def test_a_missing_word_is_a_missing_value(fields: Fields, cell: str) -> None:
    """The words of the files that `python -m score` reads."""
    assert rows_of(f"{HEADER}\n45.5,{cell},{cell},True,0.75\n", fields) == [[45.5, None, None, 1.0, 0.75]]


@pytest.mark.parametrize("level", ["a;b", "a,b", "a\nb", 'a "b"', "1", "null", "None", "NA", "x" * 300], ids=ascii)
def test_a_level_may_be_any_text(fields: Fields, level: str) -> None:
    """Even a word that means a missing value elsewhere."""
    field = structs.replace(fields[2], levels=("own", level))
    out = io.StringIO()
    csv.writer(out).writerows([["id", "Home"], ["A", level], ["B", " own "], ["C", " "]])

    assert rows_of(out.getvalue(), [field]) == [[1.0], [0.0], [None]]


def test_ids_come_back_as_texts(fields: Fields) -> None:
    """Without blanks around them; a blank one is a fault of its line."""
    table = f"id,{HEADER}\nA-17,1,1,own,True,1\n 007 ,1,1,own,True,1\n"

    assert list(read(table, fields).ids) == ["A-17", "007"]
    assert list(read(f"{HEADER}\n1,1,own,True,1\n", fields).ids) == [None]
    assert faults_of(f"{table} ,1,1,own,True,1\n", fields) == [
        Fault("/lines/4/id", "missing; expected the id of the row")
    ]


def test_other_columns_are_ignored(fields: Fields) -> None:
    """Whatever they hold, with or without a name, also two alike."""
    table = f",note,{HEADER},,note\n0,x,45.5,320,rent,True,0.75,,7\n"

    assert rows_of(table, fields) == [ROW]
    assert list(read(table, fields).ids) == [None]


def test_a_field_named_id_is_a_field(fields: Fields) -> None:
    """If the model has a field `id`, the column goes to the model."""
    request = read("id\n3\n", [structs.replace(fields[0], name="id")])

    assert ([list(row) for row in request.rows], list(request.ids)) == ([[3.0]], [None])


NAMES = ["a;b;c", "a,b", 'a "b"', "a\nb", "a\r\nb", "a\rb", "a;\nb", "a\tb", "a\\b", "Größe", "收入", "x" * 300, "'"]


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_name_of_a_field_may_hold_anything(fields: Fields, name: str, delimiter: str) -> None:
    """Quoted delimiters, quotes and line breaks in the header."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["Amount", name], [45.5, 320]])

    assert rows_of(out.getvalue(), [fields[0], structs.replace(fields[1], name=name)]) == [[45.5, 320.0]]


def test_a_decompressed_table_is_read_like_another(fields: Fields) -> None:
    """A decompressed body is a bytearray."""
    body = bytearray(f"\ufeff{HEADER}\n45.5,320,rent,True,0.75\n".encode())

    request = read_csv(RequestSchemas(fields, MAX_ROWS), body, NO_OPTIONS, on_event_loop=False)

    assert np.array(request.rows).tolist() == [ROW]


def test_a_second_byte_order_mark_is_part_of_the_header(fields: Fields) -> None:
    """So the first column is not found."""
    (fault,) = faults_of(f"\ufeff\ufeff{HEADER}\n1,2,own,True,1\n", fields)

    assert fault.detail.startswith("the table has no column 'Amount', which the model needs; its columns are: '\\ufeff")


def test_faults_beyond_the_limit_are_counted_as_in_json(fields: Fields) -> None:
    """The message says that there may be more than were looked for."""
    table = f"{HEADER}\n" + "x,45.5,rent,True,0.75\n" * 2 * MAX_FAULTS
    schemas = RequestSchemas(fields, 2 * MAX_FAULTS)

    with pytest.raises(InvalidApplicants, match=rf"\(and at least {MAX_FAULTS} more\)$"):
        read_csv(schemas, table.encode(), NO_OPTIONS, on_event_loop=False)


def test_every_fault_has_its_line_and_its_column(fields: Fields) -> None:
    """Lines are counted as an editor shows them, with blank lines and cells of several lines; fields are in order."""
    table = (
        f"id,{HEADER}\n"
        "a,x,320,rent,True,0.75\n"
        "\n"
        '"two\nlines",45.5,320,rent,True,0.75\n'
        "c,45.5,320,castle,,1e101\n"
        "d,nan,inf,rent,True,1__0\n"
    )

    assert faults_of(table, fields) == [
        Fault("/lines/2/Amount", "expected a number in EUR, got 'x'"),
        Fault("/lines/6/Home", "expected one of: own, rent, other, got 'castle'"),
        Fault("/lines/6/Client", "missing; expected one of: False, True"),
        Fault("/lines/6/Debt~1Income~012m", f"expected a number within ±{MAX_MAGNITUDE:g}, got '1e101'"),
        Fault("/lines/7/Amount", "missing; expected a number in EUR"),
        Fault("/lines/7/Income", "expected a number, got 'inf'"),
        Fault("/lines/7/Debt~1Income~012m", "expected a number, got '1__0'"),
    ]


HEADERS = {
    "twice": (f"Amount,{HEADER}\n", "the table has 2 columns 'Amount'; rename all but one"),
    "two ids": (f"id, id ,{HEADER}\n", "the table has 2 columns 'id'; rename all but one"),
    "missing": (
        f"amount,Income,Home,{DEBT}\n",
        "the table has no column 'Amount', 'Client', which the model needs; its columns are: "
        f"amount, Income, Home, {DEBT}",
    ),
    "no header": (
        "1,2,own,True,1\n",
        "the table has none of the fields of the model; its columns are: 1, 2, own, True, 1; "
        "is the line with their names missing?",
    ),
    "many others": (
        f"{','.join(map(str, range(20)))}\n",
        "the table has none of the fields of the model; its columns are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and "
        "8 more; is the line with their names missing?",
    ),
}


@pytest.mark.parametrize(("table", "detail"), HEADERS.values(), ids=HEADERS)
def test_a_fault_of_the_header_is_said_once(fields: Fields, table: str, detail: str) -> None:
    """Not repeated for each line below it."""
    assert faults_of(table, fields) == [Fault("/lines/1", detail)]
    width = table.count(",") + 1
    assert faults_of(table + (",".join("1" * width) + "\n") * 3, fields) == [Fault("/lines/1", detail)]


def test_a_line_of_another_width_is_named(fields: Fields) -> None:
    """A blank cell after the last one doesn't count."""
    table = f"{HEADER}\n1,2,own,True\n1,2,own,True,1\n1,2,own,True,1,\n1,2,own,True,1,x\n"

    assert faults_of(table, fields) == [
        Fault("/lines/2", "expected 5 cells, as the header has, got 4"),
        Fault("/lines/5", "expected 5 cells, as the header has, got 6"),
    ]


@pytest.mark.parametrize("table", ["", "\n\n", "\ufeff"])
def test_an_empty_table_is_refused(fields: Fields, table: str) -> None:
    expected = "the table is empty, expected a header line with the names of the columns"

    assert faults_of(table, fields) == [Fault("", expected)]


def test_a_header_without_lines_is_refused(fields: Fields) -> None:
    """Like an empty list in JSON."""
    assert faults_of(HEADER, fields) == [Fault("/lines", "expected at least one applicant below the header, got none")]


@pytest.mark.parametrize(
    ("table", "detail"),
    [
        (HEADER.encode("utf-32"), "the table is in UTF-32; save it in UTF-8"),
        (f"{HEADER}\n1,2,o\0n,True,1".encode(), "line 2 has a zero byte"),
        (f'{HEADER}\n1,"2,own,True,1'.encode(), "line 2: a cell begins with a quote that is never closed"),
        (f'{HEADER}\n1,"2"x,own,True,1'.encode(), "line 2: a quote ends inside a cell"),
        (f"{HEADER}\n{'9' * 200_000},2,own,True,1".encode(), "line 2: a cell has more than 131,072 characters"),
    ],
)
def test_invalid_csv_is_refused_as_a_whole(fields: Fields, table: bytes, detail: str) -> None:
    """The message names the line."""
    (fault,) = faults_of(table, fields)

    assert (fault.pointer, fault.detail[: len(detail)]) == ("", detail)


def test_a_row_more_than_allowed_is_413(fields: Fields) -> None:
    """All lines are counted, whatever faults they have."""
    rows = "1,2,own,True,1\n"

    allowed = read(f"{HEADER}\n{rows * MAX_ROWS}", fields)
    with pytest.raises(HTTPProblem, match="got 1,000,000 rows, expected at most 50 rows") as caught:
        read(HEADER + "\n1" * 1_000_000, fields)

    assert (len(allowed.rows), caught.value.status) == (MAX_ROWS, 413)


def test_a_large_table_is_not_read_on_the_event_loop(fields: Fields) -> None:
    """More than MAX_EVENT_LOOP_TABLE_BYTES raise Offload there, before the dialect is looked for."""
    schemas = RequestSchemas(fields, MAX_ROWS)
    table = f"{HEADER}\n1,2,own,True,1".ljust(MAX_EVENT_LOOP_TABLE_BYTES).encode()

    assert len(read_csv(schemas, table, NO_OPTIONS, on_event_loop=True).rows) == 1
    assert len(read_csv(schemas, table + b" ", NO_OPTIONS, on_event_loop=False).rows) == 1
    with pytest.raises(Offload):
        read_csv(schemas, bytes(len(table) + 1), NO_OPTIONS, on_event_loop=True)


def test_a_header_of_a_million_columns_is_refused_in_one_pass(fields: Fields) -> None:
    """The time grows linearly with its size, also with as many rows below it, and the answer stays small."""
    (fault,) = faults_of(b"Amount,Client,Debt/Income~12m" + b",x" * 1_000_000 + b"\n1" * 100_000, fields)

    assert fault.detail.startswith("the table has no column 'Income', 'Home', which the model needs")
    assert fault.detail.endswith("x and 999991 more")
    assert read_all(f"{HEADER}{',x' * 500_000}" + "\n1" * 100_000, fields) == MAX_FAULTS + 1


def read_all(table: str, fields: Fields) -> int:
    """How many faults a table of many rows has."""
    with pytest.raises(InvalidApplicants, match="expected 500005 cells") as caught:
        read_csv(RequestSchemas(fields, 100_000), table.encode(), NO_OPTIONS, on_event_loop=False)
    return len(caught.value.faults)


@given(table=st.text('Amount,;"\n\r id1.5', max_size=80) | st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(table: str | bytes, fields: Fields) -> None:
    """Random tables raise nothing but InvalidApplicants or HTTPProblem."""
    field = structs.replace(fields[0], name="Amount")
    for body in (table, HEADER.encode() + b"\n" + (table.encode() if isinstance(table, str) else table)):
        try:
            request = read(body, [field])
        except HTTPProblem:
            continue
        assert {len(row) for row in request.rows} == {1}


cells = st.fixed_dictionaries(
    {
        "Amount": st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE),
        "Income": st.none() | st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE),
        "Home": st.sampled_from([None, "own", "rent", "other"]),
        "Client": st.sampled_from(["False", "True"]),
        DEBT: st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE),
        "id": st.text("aA,;\"'= \n", min_size=1, max_size=5).map(lambda text: f"x{text}x"),
    }
)


@given(applicants=st.lists(cells, min_size=1, max_size=4), delimiter=st.sampled_from(",;"))
def test_a_table_is_answered_as_the_same_applicants_in_json(
    client: httpx.Client, applicants: list[dict[str, Any]], delimiter: str
) -> None:
    """Exactly the same results, as JSON or CSV as the Accept header says."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, list(applicants[0]), delimiter=delimiter)
    sheet.writeheader()
    sheet.writerows(applicants)

    expected = client.post("/score", json={"applicants": applicants}).json()
    as_json = client.post("/score", content=out.getvalue(), headers={**CSV, "accept": "application/json"}).json()
    as_sheet = client.post("/score", content=out.getvalue(), headers=CSV)

    assert as_json == expected
    assert as_sheet.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    table = list(csv.DictReader(io.StringIO(as_sheet.text, newline="")))
    assert list(table[0]) == list_columns(PLAIN)
    for result, line in zip(expected["results"], table, strict=True):
        assert line["id"] == (result["id"] or "")
        assert [line[name] for name in SCALARS] == [str(result[name]) for name in SCALARS]
        reasons = [(one["text"], one["value"]) for one in result["reasons"]]
        told = [text if value == "missing" else f"{text} ({value})" for text, value in reasons]
        assert line["reasons"] == "; ".join(told)
        assert line["warnings"] == "; ".join(one["detail"] for one in result["warnings"])
        assert line["model_version"] == expected["model"]["version"]


@pytest.mark.parametrize(
    ("id", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("A=1", "A=1"),
        (-17, "'-17"),
        (17, "17"),
        (None, ""),
    ],
)
def test_an_id_that_looks_like_a_formula_is_escaped(id: str | int | None, written: str) -> None:
    """So that a spreadsheet doesn't execute it."""
    answer = answer_of(id, [], [])

    (line,) = csv.DictReader(io.StringIO(write_csv(answer, PLAIN).decode(), newline=""))

    assert line["id"] == written


def test_reasons_and_warnings_are_one_cell_each() -> None:
    """Whatever quotes, commas and line ends they contain."""
    reasons = [Reason("a", "A", '1 "x"', 0.5, "High, too"), Reason("b", "B", "2\n3", 0.25, "Low")]
    answer = answer_of("A", reasons, [FieldWarning("a", "A: missing"), FieldWarning("b", "B; 2")])

    (line,) = csv.DictReader(io.StringIO(write_csv(answer, PLAIN).decode(), newline=""))

    assert (line["reasons"], line["warnings"]) == ('High, too (1 "x"); Low (2\n3)', "A: missing; B; 2")


def test_a_large_table_is_answered_in_a_worker_thread_like_a_small_one(
    model: Model, make_client: Callable[..., httpx.Client]
) -> None:
    """Thousands of lines, in order."""
    table = "".join(f"{number},{number % 100},1,own,True,1\n" for number in range(5000))

    text = make_client(model, Settings()).post("/score", content=f"id,{HEADER}\n{table}", headers=CSV).text

    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [line["id"] for line in lines] == [str(number) for number in range(5000)]
    assert len({line["probability"] for line in lines}) == 100


def test_a_refused_table_is_a_problem_as_json_is(client: httpx.Client) -> None:
    """application/problem+json with faults, for CSV too."""
    response = client.post("/score", content="nonsense\n1\n", headers=CSV)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert {fault["pointer"] for fault in response.json()["errors"]} == {"/lines/1"}
