"""HTTP client of the service: errors and authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from client.api import (
    Api,
    ApiUnreachable,
    ContractMismatch,
    InvalidApplicants,
    KeyRejected,
    NotFound,
    NotRecorded,
    ServiceError,
)
from client.cases import Recording, Review, Search
from client.responses import ErrorDetail
from deploy.dyno import free_port


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "no key"}, KeyRejected),
        (403, b"", KeyRejected),
        (404, b"<html>", NotFound),
        (405, b"", ContractMismatch),
        (302, b"", ContractMismatch),
        (200, b"<html>", ContractMismatch),
        (200, b"\xff", ContractMismatch),
        (200, [], ContractMismatch),
        (200, {}, ContractMismatch),
        (200, {"contract_version": 2}, ContractMismatch),
        (200, {"contract_version": [1]}, ContractMismatch),
        (200, {"contract_version": 1, "fields": "none"}, ContractMismatch),
        (429, {"detail": "busy"}, ServiceError),
        (500, b"", ServiceError),
        (503, b"\xff", ServiceError),
        (503, {"type": "urn:problem:not-recorded", "detail": "no database"}, NotRecorded),
    ],
)
def test_each_status_and_body_raises_its_exception(
    make_api: Callable[..., Api], status: int, body: Any, error: type[Exception]
) -> None:
    """Bodies that are not JSON, not UTF-8 or of another contract version never raise a decoding error."""
    with pytest.raises(error):
        make_api(status, body).model()


def test_a_refused_connection_is_unreachable() -> None:
    """The message has the type of the connection error."""
    with pytest.raises(ApiUnreachable, match="Connect"):
        Api(f"http://127.0.0.1:{free_port()}").model()


def test_a_400_has_the_errors_of_the_body(make_api: Callable[..., Api]) -> None:
    """InvalidApplicants.errors has the pointer and detail of each."""
    body = {"detail": "bad", "errors": [{"pointer": "/applicants/0/x", "detail": "expected a number"}]}

    with pytest.raises(InvalidApplicants, match="bad") as caught:
        make_api(400, body).score([{}])

    assert caught.value.errors == (ErrorDetail("/applicants/0/x", "expected a number"),)


@pytest.mark.parametrize(("key", "header"), [("secret", "Bearer secret"), ("", None)])
def test_the_key_is_sent_as_a_bearer_token(make_api: Callable[..., Api], key: str, header: str | None) -> None:
    """Without a key there is no Authorization header."""
    seen: list[httpx.Request] = []

    make_api(200, {"results": []}, seen=seen, key=key).score([])

    assert seen[0].headers.get("Authorization") == header


@pytest.mark.parametrize(
    ("status", "recording"), [(404, "off"), (401, "forbidden"), (403, "forbidden"), (503, "on"), (200, "on")]
)
def test_whether_a_service_records_follows_from_the_status_of_the_list(
    make_api: Callable[..., Api], status: int, recording: Recording
) -> None:
    """A service whose database is away does record."""
    assert make_api(status, {"decisions": [], "next": None, "detail": ""}).recording() == recording


def test_ids_are_sent_unless_a_field_has_their_name(make_api: Callable[..., Api]) -> None:
    """An applicant without one is sent without one."""
    seen: list[httpx.Request] = []

    with pytest.raises(ContractMismatch):
        make_api(200, {}, seen=seen).score([{"x": 1.0}, {"x": 2.0}, {"id": 3.0}], ["A-17", None, "B"])

    assert msgspec.json.decode(seen[0].content)["applicants"] == [{"id": "A-17", "x": 1.0}, {"x": 2.0}, {"id": 3.0}]


def test_a_search_sends_what_is_searched_for(make_api: Callable[..., Api]) -> None:
    """And nothing else; an id of an applicant may be any text."""
    seen: list[httpx.Request] = []
    search = Search(applicant="Zoë & +", start="2026-03-01T00:00:00+01:00", is_open=True)

    make_api(200, {"decisions": [], "next": None}, seen=seen).list_cases(search, "9", limit=20)

    assert dict(seen[0].url.params) == {
        "applicant": "Zoë & +",
        "from": "2026-03-01T00:00:00+01:00",
        "open": "true",
        "cursor": "9",
        "limit": "20",
    }


@pytest.mark.parametrize("case_id", ["", "..", "1/review", "?x", "é"])
def test_an_id_that_is_none_is_not_sent(make_api: Callable[..., Api], case_id: str) -> None:
    """It comes from the address of the page, which anybody can write."""
    seen: list[httpx.Request] = []

    with pytest.raises(NotFound):
        make_api(200, {}, seen=seen).case(case_id)

    assert seen == []


def test_a_review_is_posted_to_its_case(make_api: Callable[..., Api]) -> None:
    """With decision, reason and name; a note only if there is one."""
    seen: list[httpx.Request] = []
    case_id = "0195a0c4-7d1b-7c3e-8f42-5b1d9a6e0c77"

    make_api(201, {}, seen=seen).review(case_id, Review("accept", "Guarantor", "Anna"))

    assert seen[0].url.path == f"/v1/decisions/{case_id}/review"
    assert msgspec.json.decode(seen[0].content) == {"decision": "accept", "reason": "Guarantor", "who": "Anna"}
