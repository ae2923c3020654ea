"""HTTP client of the service: errors and authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from client.api import Api, ApiUnreachable, ContractMismatch, InvalidApplicants, KeyRejected, ServiceError
from client.responses import ErrorDetail
from deploy.dyno import free_port


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "no key"}, KeyRejected),
        (403, b"", KeyRejected),
        (404, b"<html>", ContractMismatch),
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
