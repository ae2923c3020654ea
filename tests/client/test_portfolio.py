"""Batch scoring of a table: every row has a result or an error message."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import httpx
import pytest

from client.api import Api, ApiUnreachable, InvalidApplicants
from client.language import Language
from client.portfolio import ROWS_PER_REQUEST, ScoredTable, score_table, write_results
from client.responses import Applicant, Model, Reason, Result
from client.table import Table

RESULT = {"probability": 0.25, "decision": "refuse", "points": 500, "reasons": [], "warnings": []}


def respond(request: httpx.Request) -> httpx.Response:
    """A fake service that reports at most two invalid applicants of a request."""
    applicants = json.loads(request.content)["applicants"]
    errors = [
        {"pointer": f"/applicants/{i}/Amount", "detail": "expected a number"}
        for i, applicant in enumerate(applicants)
        if isinstance(applicant["Amount"], str)
    ]
    if errors:
        return httpx.Response(400, json={"detail": "bad", "errors": errors[:2]})
    return httpx.Response(200, json={"results": [RESULT] * len(applicants)})


def table_of(*applicants: Applicant, faults: Mapping[int, str] | None = None) -> Table:
    """A table of these applicants, from line 2 on."""
    numbers = range(len(applicants))
    return Table("t", "", tuple(map(str, numbers)), applicants, tuple(row + 2 for row in numbers), faults or {})


def test_invalid_rows_are_set_aside_and_all_others_scored() -> None:
    """The service may report only some of them at a time, and they may be in several requests."""
    invalid = {0, 7, 8, 9, ROWS_PER_REQUEST, ROWS_PER_REQUEST + 2}
    rows: list[Applicant] = [{"Amount": "x" if i in invalid else float(i)} for i in range(ROWS_PER_REQUEST + 3)]

    *_, scored = score_table(Api("http://test", transport=httpx.MockTransport(respond)), table_of(*rows))

    assert scored.errors.keys() == invalid
    assert scored.results.keys() == set(range(len(rows))) - invalid
    assert set(scored.errors.values()) == {"Amount: expected a number"}


def test_rows_with_faults_are_not_sent() -> None:
    """They keep their faults, also if no other row is left."""
    api = Api("http://test", transport=httpx.MockTransport(respond))

    *_, scored = score_table(api, table_of({"Amount": 1.0}, {"Amount": "x"}, {"Amount": 2.0}, faults={1: "bad"}))
    *_, none = score_table(api, table_of({"Amount": "x"}, faults={0: "bad"}))

    assert (list(scored.results), scored.errors) == ([0, 2], {1: "bad"})
    assert (none.results, none.errors) == ({}, {0: "bad"})


def test_a_400_that_names_no_row_is_raised() -> None:
    """Otherwise the same request would be repeated forever."""

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"detail": "too large"})

    with pytest.raises(InvalidApplicants, match="too large"):
        list(score_table(Api("http://test", transport=httpx.MockTransport(refuse)), table_of({"Amount": 1.0})))


def test_a_connection_error_is_raised() -> None:
    """It is the same exception as for a single applicant."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    with pytest.raises(ApiUnreachable, match="gone"):
        list(score_table(Api("http://test", transport=httpx.MockTransport(fail)), table_of({"Amount": 1.0})))


def test_scalars_that_the_client_does_not_know_are_columns(model: Model, english: Language) -> None:
    """A newer service may add attributes to its results; lists and nulls among them are left out."""
    more = {"odds": 3.0, "grade": "=B", "flags": [], "note": None}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"results": [RESULT | {"id": None} | more]})

    *_, scored = score_table(Api("http://test", transport=httpx.MockTransport(answer)), table_of({"Amount": 1.0}))
    content = write_results(Table("t", "", ("A",), ({"Amount": 1.0},)), scored, model, english)

    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert list(row) == ["id", "decision", "probability", "points", "odds", "grade", "reasons", "fault"]
    assert (row["odds"], row["grade"]) == ("3.0", "'=B")


def test_the_csv_has_every_row_and_no_formula(model: Model, english: Language) -> None:
    """Probabilities are exact; a text that a spreadsheet would run as a formula gets an apostrophe."""
    applicants: tuple[Applicant, ...] = ({"Amount": 1.0}, {"Amount": "lots"})
    result = Result(0.1 + 0.2, "refuse", 500, (Reason("Amount", "", "", 1.0, "High, amount"),), ())
    scored = ScoredTable({0: result}, {1: "expected a number"})

    content = write_results(Table("t", "", ("=1+1", "é"), applicants, (2, 4)), scored, model, english)

    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == ["'=1+1", "é"]
    assert [float(row["probability"]) for row in rows if row["probability"]] == [0.1 + 0.2]
    assert [row["reasons"] for row in rows] == ["High, amount", ""]
    assert [row["fault"] for row in rows] == ["", "Line 4: expected a number"]
    assert content.startswith(b"\xef\xbb\xbf")
