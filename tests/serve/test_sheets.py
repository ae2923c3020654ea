"""Tables in and out: the same answers as JSON gives, each fault at its line, nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from serve.contract import LARGEST, Field
from serve.forms import Forms
from serve.messages import Fault, ModelName, Reason, Remark, Result, ScoreAnswer
from serve.model import Model
from serve.problems import InvalidApplicants, Refusal
from serve.settings import Settings
from serve.sheets import COLUMNS, read_sheet, write_sheet

MOST_ROWS = 50
DEBT = "Debt/Income~12m"
HEADER = f"Amount,Income,Home,Client,{DEBT}"
CSV = {"content-type": "text/csv; charset=utf-8"}

Fields = tuple[Field, ...]


def rows_of(table: str | bytes, fields: Fields) -> list[list[float | None]]:
    """The rows of a table, None where a value is missing."""
    body = table if isinstance(table, bytes) else table.encode()
    asked = read_sheet(body, Forms(fields, MOST_ROWS), MOST_ROWS)
    return [[None if value is None or np.isnan(value) else value for value in row] for row in asked.rows]


def faults_of(table: str | bytes, fields: Fields) -> list[Fault]:
    """What is wrong with a table."""
    with pytest.raises(InvalidApplicants, match=": ") as caught:
        read_sheet(table if isinstance(table, bytes) else table.encode(), Forms(fields, MOST_ROWS), MOST_ROWS)
    return caught.value.faults


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
    """Delimiter, quotes, mark, line ends, order of columns: the same applicant."""
    assert [ROW] == rows_of(table, fields)


def test_an_empty_cell_is_a_missing_value(fields: Fields) -> None:
    """And so is a column that isn't there, where a field may be missing."""
    assert [[45.5, None, None, 1.0, 0.75]] == rows_of(f"{HEADER}\n45.5,, ,True,0.75\n", fields)
    assert [[45.5, None, None, 1.0, 0.75]] == rows_of(f"Amount,Client,{DEBT}\n45.5,True,0.75\n", fields)


def test_ids_come_back_as_texts(fields: Fields) -> None:
    """As they stand in their column; an empty one is none."""
    table = f"id,{HEADER}\nA-17,1,1,own,True,1\n007,1,1,own,True,1\n,1,1,own,True,1\n"

    assert ["A-17", "007", None] == list(read_sheet(table.encode(), Forms(fields, MOST_ROWS), MOST_ROWS).ids)


def test_a_field_named_id_is_a_field(fields: Fields) -> None:
    """Where the model itself asks for it."""
    asked = read_sheet(b"id\n3\n", Forms([structs.replace(fields[0], name="id")], MOST_ROWS), MOST_ROWS)

    assert ([[3.0]], [None]) == ([list(row) for row in asked.rows], list(asked.ids))


def test_every_fault_has_its_line_and_its_column(fields: Fields) -> None:
    """All at once; lines are counted as an editor shows them, over blank ones and cells of several lines."""
    table = (
        f"id,{HEADER}\n"
        "a,x,320,rent,True,0.75\n"
        "\n"
        '"two\nlines",45.5,320,rent,True,0.75\n'
        "c,45.5,320,castle,,1e101\n"
        "d,nan,inf,rent,True,1_0\n"
    )

    assert [
        Fault("/lines/2/Amount", "expected a number in EUR, got 'x'"),
        Fault("/lines/6/Home", "expected one of: own, rent, other, got 'castle'"),
        Fault("/lines/6/Client", "null; this field can't be missing: expected one of: False, True"),
        Fault("/lines/6/Debt~1Income~012m", f"expected a number within ±{LARGEST:g}, got 1e+101"),
        Fault("/lines/7/Amount", f"expected a number within ±{LARGEST:g}, got nan"),
        Fault("/lines/7/Income", f"expected a number within ±{LARGEST:g}, got inf"),
        Fault("/lines/7/Debt~1Income~012m", "expected a number, got '1_0'"),
    ] == faults_of(table, fields)


HEADERS = {
    "twice": (f"Amount,{HEADER}\n", "the column 'Amount' appears 2 times, expected once"),
    "unknown": (f"{HEADER},amount\n", f"unknown column 'amount'; expected id, or one of: {HEADER.replace(',', ', ')}"),
    "missing": (f"Amount,Income,Home,{DEBT}\n", "the column 'Client' is missing; it can't be left out"),
}


@pytest.mark.parametrize(("table", "detail"), HEADERS.values(), ids=HEADERS)
def test_a_fault_of_the_header_is_said_once(fields: Fields, table: str, detail: str) -> None:
    """Not again for each line below it."""
    assert [Fault("/lines/1", detail)] == faults_of(table, fields)
    width = table.count(",") + 1
    assert [Fault("/lines/1", detail)] == faults_of(table + (",".join("1" * width) + "\n") * 3, fields)


def test_a_line_of_another_width_is_named(fields: Fields) -> None:
    """Otherwise a cell too few would shift all that follow."""
    table = f"{HEADER}\n1,2,own,True\n1,2,own,True,1\n1,2,own,True,1,\n"

    assert [
        Fault("/lines/2", "expected 5 cells, as the header has, got 4"),
        Fault("/lines/4", "expected 5 cells, as the header has, got 6"),
    ] == faults_of(table, fields)


@pytest.mark.parametrize("table", ["", "\n\n", "\ufeff"])
def test_an_empty_table_is_told_what_a_header_looks_like(fields: Fields, table: str) -> None:
    """The names in order."""
    expected = f"the table is empty; expected a header such as: {HEADER.replace(',', ', ')}"

    assert [Fault("", expected)] == faults_of(table, fields)


def test_a_header_alone_has_nobody_to_answer_about(fields: Fields) -> None:
    """As an empty list in JSON."""
    assert [Fault("/lines", "expected at least one applicant, got an empty list")] == faults_of(HEADER, fields)


@pytest.mark.parametrize(
    ("table", "detail"),
    [
        (HEADER.encode("utf-16"), "the table is not UTF-8; save it as CSV UTF-8"),
        (f"{HEADER}\n1,2,owné,True,1".encode("latin-1"), "the table is not UTF-8; save it as CSV UTF-8"),
        (f'{HEADER}\n1,"2,own,True,1'.encode(), "not a CSV table: unexpected end of data"),
        (f'{HEADER}\n1,"2"x,own,True,1'.encode(), "not a CSV table: ',' expected after '\"'"),
        (f"{HEADER}\n{'9' * 200_000},2,own,True,1".encode(), "not a CSV table: field larger than field limit (131072)"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(fields: Fields, table: bytes, detail: str) -> None:
    """With what to do about it, where something is to be done."""
    assert [Fault("", detail)] == faults_of(table, fields)


def test_a_row_more_than_allowed_is_413(fields: Fields) -> None:
    """Counted to the end, and none of it read."""
    rows = "1,2,own,True,1\n"

    allowed = read_sheet(f"{HEADER}\n{rows * MOST_ROWS}".encode(), Forms(fields, MOST_ROWS), MOST_ROWS)
    with pytest.raises(Refusal, match="got 1,000,000 rows, expected at most 50 rows") as caught:
        read_sheet(HEADER.encode() + b"\n1" * 1_000_000, Forms(fields, MOST_ROWS), MOST_ROWS)

    assert (MOST_ROWS, 413) == (len(allowed.rows), caught.value.status)


def test_a_header_of_a_million_columns_is_refused_in_one_pass(fields: Fields) -> None:
    """Work grows with the table, not with its square, and the answer stays small."""
    (fault,) = faults_of(b"Amount,Client,Debt/Income~12m" + b"," * 1_000_000, fields)

    assert Fault("/lines/1", "the column '' appears 1000000 times, expected once") == fault


@given(table=st.text('Amount,;"\n\r id1.5', max_size=80) | st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(table: str | bytes, fields: Fields) -> None:
    """No table raises anything but InvalidApplicants or Refusal."""
    field = structs.replace(fields[0], name="Amount")
    for body in (table, HEADER.encode() + b"\n" + (table.encode() if isinstance(table, str) else table)):
        try:
            asked = read_sheet(body.encode() if isinstance(body, str) else body, Forms((field,), MOST_ROWS), MOST_ROWS)
        except Refusal:
            continue
        assert {1} == {len(row) for row in asked.rows}


cells = st.fixed_dictionaries(
    {
        "Amount": st.floats(-LARGEST, LARGEST),
        "Income": st.none() | st.floats(-LARGEST, LARGEST),
        "Home": st.sampled_from([None, "own", "rent", "other"]),
        "Client": st.sampled_from(["False", "True"]),
        DEBT: st.floats(-LARGEST, LARGEST),
        "id": st.none() | st.text("aA,;\"'= \n", min_size=1, max_size=5).map(lambda text: f"x{text}x"),
    }
)


@given(applicants=st.lists(cells, min_size=1, max_size=4), delimiter=st.sampled_from(",;"))
def test_a_table_is_answered_as_the_same_applicants_in_json(
    client: httpx.Client, applicants: list[dict[str, Any]], delimiter: str
) -> None:
    """To the last digit, with ids, reasons and warnings: as JSON where JSON is asked for, else as a table."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, list(applicants[0]), delimiter=delimiter)
    sheet.writeheader()
    sheet.writerows(applicants)

    expected = client.post("/score", json={"applicants": applicants}).json()
    as_json = client.post("/score", content=out.getvalue(), headers={**CSV, "accept": "application/json"}).json()
    as_sheet = client.post("/score", content=out.getvalue(), headers=CSV)

    assert expected == as_json
    assert "text/csv; charset=utf-8; header=present" == as_sheet.headers["content-type"]
    table = list(csv.DictReader(io.StringIO(as_sheet.text, newline="")))
    assert COLUMNS == list(table[0])
    for result, line in zip(expected["results"], table, strict=True):
        assert (result["id"] or "", result["probability"]) == (line["id"], float(line["probability"]))
        assert (result["decision"], str(result["points"])) == (line["decision"], line["points"])
        assert "; ".join(f"{one['text']} ({one['value']})" for one in result["reasons"]) == line["reasons"]
        assert "; ".join(one["detail"] for one in result["warnings"]) == line["warnings"]
        assert expected["model"]["version"] == line["model_version"]


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
def test_an_id_is_no_formula(id: str | int | None, written: str) -> None:
    """What begins like one is written as a text, so that a spreadsheet shows it and doesn't run it."""
    answer = ScoreAnswer([Result(id, 0.5, "refuse", 480, [], [])], ModelName("test", "1", "0"))

    (line,) = csv.DictReader(io.StringIO(write_sheet(answer).decode(), newline=""))

    assert written == line["id"]


def test_reasons_and_warnings_are_one_cell_each() -> None:
    """Whatever they hold of quotes, commas and line ends."""
    reasons = [Reason("a", "A", '1 "x"', 0.5, "High, too"), Reason("b", "B", "2\n3", 0.25, "Low")]
    answer = ScoreAnswer(
        [Result("A", 0.5, "refuse", 480, reasons, [Remark("a", "A: missing"), Remark("b", "B; 2")])],
        ModelName("test", "1", "0"),
    )

    (line,) = csv.DictReader(io.StringIO(write_sheet(answer).decode(), newline=""))

    assert ('High, too (1 "x"); Low (2\n3)', "A: missing; B; 2") == (line["reasons"], line["warnings"])


def test_a_large_table_is_answered_in_a_worker_thread_like_a_small_one(
    model: Model, make_client: Callable[..., httpx.Client]
) -> None:
    """Thousands of lines, each in its place."""
    table = "".join(f"{number},{number % 100},1,own,True,1\n" for number in range(5000))

    text = make_client(model, Settings()).post("/score", content=f"id,{HEADER}\n{table}", headers=CSV).text

    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [str(number) for number in range(5000)] == [line["id"] for line in lines]
    assert 100 == len({line["probability"] for line in lines})


def test_a_refused_table_is_a_problem_as_json_is(client: httpx.Client) -> None:
    """application/problem+json with its faults, also for who sends CSV."""
    response = client.post("/score", content="nonsense\n1\n", headers=CSV)

    assert (400, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert {"/lines/1"} == {fault["pointer"] for fault in response.json()["errors"]}
