"""A whole table: every row has a result or the reason why not."""

from __future__ import annotations

import csv
import io
import json
import re

import httpx
import pytest

from client.answers import Applicant, Field, Reason, Result
from client.api import Api, ApiDown, InvalidApplicants
from client.language import Language
from client.portfolio import ROWS_A_REQUEST, Scored, score_table, write_results
from client.table import Table

RESULT = {"probability": 0.25, "decision": "refuse", "points": 500, "reasons": [], "warnings": []}


def picky(request: httpx.Request) -> httpx.Response:
    """A service that names the first two faulty applicants of a body at most."""
    applicants = json.loads(request.content)["applicants"]
    faults = [
        {"pointer": f"/applicants/{i}/Amount", "detail": "expected a number"}
        for i, applicant in enumerate(applicants)
        if isinstance(applicant["Amount"], str)
    ]
    if faults:
        return httpx.Response(400, json={"detail": "bad", "errors": faults[:2]})
    return httpx.Response(200, json={"results": [RESULT] * len(applicants)})


def test_faulty_rows_are_set_aside_and_all_others_scored() -> None:
    """However many, and over the border of a request."""
    faulty = {0, 7, 8, 9, ROWS_A_REQUEST, ROWS_A_REQUEST + 2}
    rows: list[Applicant] = [{"Amount": "x" if i in faulty else float(i)} for i in range(ROWS_A_REQUEST + 3)]

    *_, scored = score_table(Api("http://test", transport=httpx.MockTransport(picky)), rows)

    assert faulty == scored.faults.keys()
    assert set(range(len(rows))) - faulty == scored.results.keys()
    assert {"Amount: expected a number"} == set(scored.faults.values())


def test_a_refusal_that_names_no_row_is_not_swallowed() -> None:
    """Else it would be asked forever."""

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"detail": "too large"})

    with pytest.raises(InvalidApplicants, match="too large"):
        list(score_table(Api("http://test", transport=httpx.MockTransport(refuse)), [{"Amount": 1.0}]))


def test_a_service_that_goes_down_is_told() -> None:
    """By the error of every other request."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    with pytest.raises(ApiDown, match="gone"):
        list(score_table(Api("http://test", transport=httpx.MockTransport(fail)), [{"Amount": 1.0}]))


def test_results_keep_every_row_and_no_cell_is_a_formula(fields: tuple[Field, ...], english: Language) -> None:
    """Read back with their exact probabilities."""
    applicants: tuple[Applicant, ...] = ({"Amount": 1.0}, {"Amount": "lots"})
    result = Result(0.1 + 0.2, "refuse", 500, (Reason("Amount", "", "", 1.0, "High, amount"),), ())
    scored = Scored({0: result}, {1: "expected a number"})

    content = write_results(Table("t", "", ("=1+1", "é"), applicants), scored, fields, english)

    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert ["'=1+1", "é"] == [row["id"] for row in rows]
    assert [0.1 + 0.2] == [float(row["probability"]) for row in rows if row["probability"]]
    assert ["High, amount", ""] == [row["reasons"] for row in rows]
    assert ["", "expected a number"] == [row["fault"] for row in rows]
    assert re.match(b"\xef\xbb\xbf", content)
