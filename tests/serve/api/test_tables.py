"""Tables as people have them, sent to POST /score as CSV and to POST /applicants of a running service."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from msgspec import structs

from model.session import Model
from serve.settings import Settings
from tests.serve.running import NO_CERTIFICATES, SERVE, Service, running

MakeClient = Callable[..., httpx.Client]

APPLICANTS: list[dict[str, Any]] = [
    {"Amount": 45.5, "Income": 1320.0, "Home": "rent", "Client": "True", "Debt/Income~12m": 0.75},
    {"Amount": 1300.0, "Income": None, "Home": "own", "Client": "False", "Debt/Income~12m": 1.25},
    {"Amount": 12.0, "Income": 1500.5, "Home": None, "Client": "True", "Debt/Income~12m": 0.0},
]
IDS = ["A-1", "é 2", "007"]

LINES = [
    "id,Amount,Income,Home,Client,Debt/Income~12m",
    "A-1,45.5,1320,rent,True,0.75",
    "é 2,1300,,own,False,1.25",
    "007,12,1500.5,,True,0",
]
CLEAN = "".join(f"{line}\n" for line in LINES)
COMMAS = CLEAN.replace(",", ";").replace(".", ",")

SAME: dict[str, bytes] = {
    "comma": CLEAN.encode(),
    "semicolon": CLEAN.replace(",", ";").encode(),
    "tab": CLEAN.replace(",", "\t").encode(),
    "pipe": CLEAN.replace(",", "|").encode(),
    "the separator in the first line": b"sep=;\n" + CLEAN.replace(",", ";").encode(),
    "decimal comma": COMMAS.encode(),
    "decimal comma in quotes": re.sub(r"(\d+)\.(\d+)", r'"\1,\2"', CLEAN).encode(),
    "cp1252": CLEAN.encode("cp1252"),
    "UTF-8 with a mark": CLEAN.encode("utf-8-sig"),
    "UTF-16": CLEAN.encode("utf-16"),
    "UTF-16, big-endian, without a mark": CLEAN.encode("utf-16-be"),
    "CR": CLEAN.replace("\n", "\r").encode(),
    "CRLF": CLEAN.replace("\n", "\r\n").encode(),
    "thousands": CLEAN.replace("1320", '"1,320.0"').replace("1500.5", '"1,500.5"').encode(),
    "thousands with points": COMMAS.replace("1320", "1.320,0").replace("1500,5", "1.500,5").encode(),
    "thousands with blanks": CLEAN.replace("1320", "1 320").replace("1300", "1_300").replace("1500", "1'500").encode(),
    "currency and percent": CLEAN.replace("1320", "$1320").replace("1300", "1300 €").replace("1.25", "1.25%").encode(),
    "padded header": CLEAN.replace(",Home,", ", Home ,").encode(),
    "padded cells": CLEAN.replace(",", " , ").encode(),
    "trailing separators": CLEAN.replace("\n", ",,\n").encode(),
    "other columns": CLEAN.replace("\n", ',"7"" wide",x\n').replace('"7"" wide",x', "note,size", 1).encode(),
    "an inner quote": CLEAN.replace("\n", ',7"\n').replace('7"', "size", 1).encode(),
    "missing words": CLEAN.replace(",,own", ",#N/A,own").replace(",,True", ",None,True").encode(),
    "words and numbers in other ways": CLEAN.replace("True", "TRUE").replace("False", "false").encode(),
    "blank lines": CLEAN.replace("\n", "\n\n").encode(),
}
"""Tables with the same applicants."""

REFUSED: dict[str, tuple[bytes, str, str]] = {
    "two decimal marks": (
        CLEAN.replace("1320", '"1,320"').replace(",12,", ',"12,5",').encode(),
        "",
        "the decimal mark can't be told: '45.5' in column 'Amount' has a point, '12,5' in column 'Amount' a comma; "
        "say which: decimal . or decimal ,",
    ),
    "ambiguous": (
        CLEAN.replace("1300", '"1,300"').replace("45.5", "45").replace("1500.5", "1500").replace(".", "").encode(),
        "/lines/3/Amount",
        "'1,300' is 1300 with a decimal point and 1.3 with a decimal comma; say which: decimal . or decimal ,",
    ),
    "no header": (
        CLEAN.partition("\n")[2].encode(),
        "/lines/1",
        "the table has none of the fields of the model; its columns are: A-1, 45.5, 1320, rent, True, 0.75; "
        "is the line with their names missing?",
    ),
    "open quote": (
        CLEAN.replace(",own", ',"own').encode(),
        "",
        "line 3: a cell begins with a quote that is never closed; correct the line (a quote inside a cell in quotes "
        "is written twice)",
    ),
    "stray quote": (
        CLEAN.replace(",own", ',"o"wn').encode(),
        "",
        "line 3: a quote ends inside a cell, expected ',' or the end of the line after it; correct the line (a quote "
        "inside a cell in quotes is written twice)",
    ),
    "two separators": (
        CLEAN.replace(",", ",;").encode(),
        "",
        "the separator can be comma (6 columns) or semicolon (6 columns); say which: separator ',' or ';'",
    ),
}
"""Tables that are refused: the pointer and the detail of the first fault."""


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the small model."""
    with running(tmp_path_factory.mktemp("tables"), content, SERVE) as started:
        yield started


def post(service: Service, path: str, table: bytes, kind: str = "text/csv", **headers: str) -> httpx.Response:
    """Send a table, and ask for JSON."""
    sent = {"content-type": kind, "accept": "application/json", **headers}
    url = f"{service.base}{path}"
    return httpx.post(url, content=table, headers=sent, trust_env=False, verify=NO_CERTIFICATES)


@pytest.fixture(scope="module")
def expected(service: Service) -> list[dict[str, Any]]:
    """The results of the applicants as JSON."""
    named = [{"id": name, **applicant} for name, applicant in zip(IDS, APPLICANTS, strict=True)]
    results: list[dict[str, Any]] = service.ask("POST", "/score", {"applicants": named}).json()["results"]
    return results


@pytest.mark.parametrize("name", SAME)
def test_a_table_has_the_same_applicants_in_every_dialect(
    service: Service, name: str, expected: list[dict[str, Any]]
) -> None:
    """Exactly the results of the same applicants as JSON, and their values."""
    scored, read = (post(service, path, SAME[name]).raise_for_status().json() for path in ("/score", "/applicants"))

    assert scored["results"] == expected
    assert [row["applicant"] for row in read["rows"]] == APPLICANTS
    assert [row["id"] for row in read["rows"]] == IDS
    assert [row["faults"] for row in read["rows"]] == [[], [], []]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", ["/score", "/applicants"])
def test_a_table_that_can_not_be_read_is_refused_at_both_paths(service: Service, name: str, path: str) -> None:
    """With the same problem, which says what to do."""
    table, pointer, detail = REFUSED[name]

    answer = post(service, path, table)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.json()["errors"][0]["detail"].startswith(detail)


OPTIONS: dict[str, tuple[str, str, bytes]] = {
    "decimal point": ("?decimal=.", "text/csv", CLEAN.replace("1300", '"1,300"').encode()),
    "decimal comma": ("?decimal=,", "text/csv", COMMAS.replace("1300", "1.300").encode()),
    "separator": ("?separator=:", "text/csv", CLEAN.replace(",", ":").encode()),
    "tab": ("?separator=tab&decimal=.", "text/csv", CLEAN.replace(",", "\t").encode()),
    "charset": ("", "text/csv; charset=cp850", CLEAN.encode("cp850")),
    "charset in quotes": ("", 'text/csv;header=present; Charset="utf-16"', CLEAN.encode("utf-16")),
}
"""Query, media type, and a table of the same applicants."""


@pytest.mark.parametrize("name", OPTIONS)
def test_the_request_can_say_the_dialect(service: Service, name: str, expected: list[dict[str, Any]]) -> None:
    """Separator and decimal mark in the query, the encoding as the charset of Content-Type."""
    query, kind, table = OPTIONS[name]

    scored, read = (post(service, f"{path}{query}", table, kind).json() for path in ("/score", "/applicants"))

    assert scored["results"] == expected
    assert [row["applicant"] for row in read["rows"]] == APPLICANTS


@pytest.mark.parametrize(
    ("query", "kind", "detail"),
    [
        ("?separator=", "text/csv", "the separator is '', expected one character such as , ; | or a tab"),
        ("?separator=ab", "text/csv", "the separator is 'ab', expected one character such as , ; | or a tab"),
        ("?decimal=;", "text/csv", "the decimal mark is ';', expected . or ,"),
        (
            "",
            "text/csv; charset=klingon",
            "the encoding 'klingon' is unknown; expected one such as utf-8, utf-16 or cp1252",
        ),
        ("", "text/csv; charset=hex", "the encoding 'hex' is unknown; expected one such as utf-8, utf-16 or cp1252"),
    ],
)
@pytest.mark.parametrize("path", ["/score", "/applicants"])
def test_an_unknown_option_is_400(service: Service, path: str, query: str, kind: str, detail: str) -> None:
    """The problem says what was expected."""
    answer = post(service, path + query, CLEAN.encode(), kind)

    assert (answer.status_code, answer.json()["errors"]) == (400, [{"pointer": "", "detail": detail}])


def test_a_charset_that_the_table_is_not_in_is_400(service: Service) -> None:
    """The problem names the line."""
    answer = post(service, "/score", CLEAN.encode("cp1252"), "text/csv; charset=utf-8")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"].startswith("line 3 is not UTF-8")


def test_every_row_is_there_with_its_faults(service: Service) -> None:
    """A faulty value is the text of its cell; a short line has no applicant; line numbers are those of the file."""
    table = "\n".join(
        [
            LINES[0],
            "A-1,lots,1320,castle,True,0.75",
            "A-2,45.5,1320,rent,True",
            '"A-3","45.5","NA","re\nnt","True",0.75',
            "",
            " ,,1320,rent,True,0.75",
            LINES[1],
        ]
    )

    answer = post(service, "/applicants", table.encode()).raise_for_status().json()

    levels = "expected one of: own, rent, other, got"
    right = APPLICANTS[0]
    assert answer == {
        "read_as": "',', decimal point, UTF-8",
        "dialect": {"separator": ",", "decimal": ".", "encoding": "utf-8"},
        "rows": [
            {
                "line": 2,
                "id": "A-1",
                "applicant": right | {"Amount": "lots", "Home": "castle"},
                "faults": [
                    {"field": "Amount", "detail": "expected a number in EUR, got 'lots'"},
                    {"field": "Home", "detail": f"{levels} 'castle'"},
                ],
            },
            {
                "line": 3,
                "id": None,
                "applicant": None,
                "faults": [{"field": None, "detail": "expected 6 cells, as the header has, got 5"}],
            },
            {
                "line": 4,
                "id": "A-3",
                "applicant": right | {"Income": None, "Home": "re\nnt"},
                "faults": [{"field": "Home", "detail": f"{levels} 're\\nnt'"}],
            },
            {
                "line": 7,
                "id": None,
                "applicant": right | {"Amount": None},
                "faults": [
                    {"field": "id", "detail": "missing; expected the id of the row"},
                    {"field": "Amount", "detail": "missing; expected a number in EUR"},
                ],
            },
            {"line": 8, "id": "A-1", "applicant": right, "faults": []},
        ],
    }
    scored = post(service, "/score", table.encode()).json()["errors"]
    assert scored == [
        {
            "pointer": f"/lines/{row['line']}" + (f"/{fault['field']}" if fault["field"] else ""),
            "detail": fault["detail"],
        }
        for row in answer["rows"]
        for fault in row["faults"]
    ]


@pytest.mark.parametrize(
    ("header", "ids"),
    [
        ("id,Amount", ["7", "8"]),
        ("dossier,Amount", ["7", "8"]),
        (",Amount", ["7", "8"]),
        ("Amount,dossier", [None, None]),
    ],
)
def test_ids_are_in_the_column_id_else_in_the_first(service: Service, header: str, ids: list[str | None]) -> None:
    """Unless the first is a field. A blank cell of another column than `id` is no fault."""
    first, second = header.split(",")
    table = f"{first},{second},Income,Home,Client,Debt/Income~12m\n7,7,1,own,True,1\n8,8,1,own,True,1\n"

    rows = post(service, "/applicants", table.encode()).json()["rows"]

    assert [row["id"] for row in rows] == ids
    assert [row["faults"] for row in rows] == [[], []]


def test_a_table_without_rows_has_none(service: Service) -> None:
    assert post(service, "/applicants", LINES[0].encode()).json()["rows"] == []


def test_a_number_that_can_be_read_two_ways_far_below_is_a_fault_of_its_row(service: Service) -> None:
    """A decimal comma late in a table of whole numbers."""
    table = f"{LINES[0]}\n" + "A,45,1,own,True,1\n" * 30_000 + 'B,"1,300",1,own,True,1\n'

    rows = post(service, "/applicants", table.encode()).raise_for_status().json()["rows"]

    assert (len(rows), rows[-1]["applicant"]["Amount"]) == (30_001, "1,300")
    assert rows[-1]["faults"] == [
        {
            "field": "Amount",
            "detail": "'1,300' is 1300 with a decimal point and 1.3 with a decimal comma; say which: decimal . or "
            "decimal ,",
        }
    ]


def test_more_rows_than_can_be_scored_at_once_are_read(model: Model, make_client: MakeClient) -> None:
    """MAX_ROWS is a limit of scoring; MAX_BODY_BYTES is one of a table too, before and after decompression."""
    client = make_client(model, Settings(max_rows=2, max_body_bytes=2000))
    packed = gzip.compress(CLEAN.encode() * 50)

    answers = {
        "read": client.post("/applicants", content=CLEAN.encode()),
        "compressed": client.post(
            "/applicants", content=gzip.compress(CLEAN.encode()), headers={"content-encoding": "gzip"}
        ),
        "scored": client.post("/score", content=CLEAN.encode(), headers={"content-type": "text/csv"}),
        "large": client.post("/applicants", content=CLEAN.encode() * 50),
        "large when decompressed": client.post("/applicants", content=packed, headers={"content-encoding": "gzip"}),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "read": 200,
        "compressed": 200,
        "scored": 413,
        "large": 413,
        "large when decompressed": 413,
    }


def test_a_table_with_more_faults_than_fit_into_the_memory_is_413(model: Model, make_client: MakeClient) -> None:
    """Rows of one byte have faults of a hundred; the limit is MAX_ALL_BODY_BYTES."""
    client = make_client(model, Settings(max_body_bytes=4_000, max_all_body_bytes=8_000))

    answer = client.post("/applicants", content=f"{LINES[0]}\n" + "1\n" * 1_000)

    assert answer.status_code == 413
    assert "the rows of the table as JSON: got more than 8,000 bytes, expected at most 8,000" in answer.json()["error"]


def test_a_level_is_never_a_missing_word(model: Model, make_client: MakeClient) -> None:
    """A level named None, NA or null counts wherever the field has it, and means a missing value elsewhere."""
    fields = [
        structs.replace(field, levels=("None", "NA", "other")) if field.name == "Home" else field
        for field in model.contract.fields
    ]
    client = make_client(structs.replace(model, contract=structs.replace(model.contract, fields=tuple(fields))))
    lines = [f"{home},{home}" for home in ("None", "NA", "null", " NA ", "")]
    table = "Home,Income,Amount,Client,Debt/Income~12m\n" + "".join(f"{line},1,True,1\n" for line in lines)
    applicants = [
        {"Home": home, "Income": None, "Amount": 1, "Client": "True", "Debt/Income~12m": 1}
        for home in ("None", "NA", None, "NA", None)
    ]

    expected = client.post("/score", json={"applicants": applicants}).json()["results"]
    sent = {"content-type": "text/csv", "accept": "application/json"}

    assert client.post("/score", content=table, headers=sent).json()["results"] == expected
    rows = client.post("/applicants", content=table).json()["rows"]
    assert [row["applicant"]["Home"] for row in rows] == ["None", "NA", None, "NA", None]
