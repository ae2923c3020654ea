"""Each way in which a service fails has its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from client.answers import Fault
from client.api import Api, ApiDown, InvalidApplicants, KeyRefused, OtherContract, ServiceFault
from deploy.dyno import free_port


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "no key"}, KeyRefused),
        (403, b"", KeyRefused),
        (404, b"<html>", OtherContract),
        (302, b"", OtherContract),
        (200, b"<html>", OtherContract),
        (200, b"\xff", OtherContract),
        (200, [], OtherContract),
        (200, {}, OtherContract),
        (200, {"contract_version": 2}, OtherContract),
        (200, {"contract_version": [1]}, OtherContract),
        (200, {"contract_version": 1, "fields": "none"}, OtherContract),
        (429, {"detail": "busy"}, ServiceFault),
        (500, b"", ServiceFault),
        (503, b"\xff", ServiceFault),
    ],
)
def test_what_is_no_contract_of_ours_raises_its_own_error(
    answering: Callable[..., Api], status: int, body: Any, error: type[Exception]
) -> None:
    """Whatever the body."""
    with pytest.raises(error):
        answering(status, body).model()


def test_nothing_at_the_address_is_down() -> None:
    """A port that nobody listens on."""
    with pytest.raises(ApiDown, match="Connect"):
        Api(f"http://127.0.0.1:{free_port()}").model()


def test_a_refused_body_tells_every_fault(answering: Callable[..., Api]) -> None:
    """With pointer and detail."""
    body = {"detail": "bad", "errors": [{"pointer": "/applicants/0/x", "detail": "expected a number"}]}

    with pytest.raises(InvalidApplicants, match="bad") as caught:
        answering(400, body).score([{}])

    assert (Fault("/applicants/0/x", "expected a number"),) == caught.value.faults


@pytest.mark.parametrize(("key", "header"), [("secret", "Bearer secret"), ("", None)])
def test_the_key_travels_in_the_header(answering: Callable[..., Api], key: str, header: str | None) -> None:
    """And nothing is sent where there is none."""
    seen: list[httpx.Request] = []

    answering(200, {"results": []}, seen=seen, key=key).score([])

    assert header == seen[0].headers.get("Authorization")
