"""Refusals of Starlette and of the middleware are problem documents, and their bodies are not waited for."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.requests import Request

from serve.middleware.problem_responses import discard_body, handle_problem
from tests.serve.conversation import Conversation, Stalled

LENGTH = {"content-length": "2"}


def test_an_unknown_path_is_404_as_a_problem(client: httpx.Client) -> None:
    """The problem names the path."""
    response = client.get("/nowhere")

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["error"] == "no such path: /nowhere; see /openapi.json"
    assert response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/model/", "/v2/", "//evil.test/model", "/score/"])
def test_a_path_with_a_slash_too_many_is_404_and_no_redirect(client: httpx.Client, path: str) -> None:
    """A redirect would lead to the host that the request names."""
    response = client.get(f"http://test{path}", headers={"host": "evil.test"})

    assert response.status_code == 404
    assert "location" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", {"POST"}),
        ("PUT", "/score", {"POST"}),
        ("POST", "/model", {"GET", "HEAD"}),
        ("OPTIONS", "/score", {"POST"}),
        ("DELETE", "/v2/models/test", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_as_a_problem(client: httpx.Client, method: str, path: str, allowed: set[str]) -> None:
    """The problem names path and method, and Allow lists the methods."""
    response = client.request(method, path)

    assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
    assert set(response.headers["allow"].split(", ")) == allowed
    assert response.json()["error"] == f"{path} doesn't take {method}, expected {response.headers['allow']}"


def test_a_long_path_is_truncated_in_the_answer(client: httpx.Client) -> None:
    """So that the answer stays small."""
    response = client.get("/" + "x" * 10_000)

    assert response.status_code == 404
    assert len(response.content) < 1_000


def test_an_error_that_is_no_problem_is_not_translated() -> None:
    """RequestMiddleware handles it and answers 500."""
    request = Request(Conversation("GET", "/").scope)

    with pytest.raises(ValueError, match="not ours"):
        asyncio.run(handle_problem(request, ValueError("not ours")))


@pytest.mark.parametrize("headers", [LENGTH, {"transfer-encoding": "chunked"}])
def test_the_received_part_of_an_unread_body_is_dropped(headers: dict[str, str]) -> None:
    """One message, which is what the server holds."""
    exchange = Conversation("POST", "/", [b"[", b"]", b""], headers)

    asyncio.run(discard_body(exchange.scope, exchange.receive))

    assert exchange.receive_calls == 1


@pytest.mark.parametrize("headers", [{}, LENGTH | {"expect": "100-continue"}])
def test_receive_is_not_called_without_a_body(headers: dict[str, str]) -> None:
    """Neither without a body nor with Expect: 100-continue."""
    exchange = Conversation("POST", "/", [b"[]"], headers)

    asyncio.run(discard_body(exchange.scope, exchange.receive))

    assert exchange.receive_calls == 0


def test_a_body_that_has_not_arrived_is_not_waited_for() -> None:
    """The answer is sent at once."""
    exchange = Stalled("POST", "/", [b"[", b"]"], LENGTH)
    exchange.receive_calls = 1

    asyncio.run(asyncio.wait_for(discard_body(exchange.scope, exchange.receive), 10))

    assert exchange.parts == [b"[", b"]"]
