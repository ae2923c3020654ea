"""Endpoint: compression and chunked sending of large responses."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from model.contract import Field
from model.session import Matrix, Model
from serve.api.endpoint import CHUNK_BYTES, MIN_COMPRESSED_BYTES, Endpoint
from serve.app import create_app_for_model
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_csv, to_json, to_matrix_tensor
from tests.serve.conversation import Conversation


def ask(model: Model, method: str, path: str, body: bytes, headers: dict[str, str]) -> Conversation:
    """Send a request to an application and return the answer."""
    exchange = Conversation(method, path, [body], headers)
    asyncio.run(exchange.run(create_app_for_model(model)))
    return exchange


def around(answer: Callable[[Request], Awaitable[Response]], model: Model) -> Starlette:
    """An application with one endpoint, and the state of the service around a model."""
    app = Starlette(routes=[Route("/", Endpoint("GET", "/", answer), methods=["GET"])])
    app.state.service = create_app_for_model(model).state.service
    return app


def large_requests(applicants: Matrix, fields: tuple[Field, ...]) -> dict[str, tuple[str, str, bytes, dict[str, str]]]:
    """Requests that have large answers, by media type."""
    rows = to_json(applicants)
    named = [name_values(row, fields) for row in applicants.tolist()]
    wanted = [{"name": "contributions", "parameters": {"binary_data": True}}]
    matrix = to_matrix_tensor(applicants.repeat(10, axis=0)) | {"outputs": wanted}
    return {
        "application/json": ("GET", "/openapi.json", b"", {}),
        "results": ("POST", "/score", json.dumps({"applicants": rows}).encode(), {}),
        "a table": ("POST", "/score", to_csv(named * 3), {"content-type": "text/csv"}),
        "probabilities": ("POST", "/predict", json.dumps({"data": rows * 15}).encode(), {}),
        "tensors": ("POST", "/v2/models/test/infer", json.dumps(matrix).encode(), {}),
    }


@pytest.mark.parametrize("kind", ["application/json", "results", "a table", "probabilities", "tensors"])
def test_a_large_answer_is_compressed_for_clients_that_accept_gzip(
    model: Model, applicants: Matrix, fields: tuple[Field, ...], kind: str
) -> None:
    """Content-Length is the compressed size, and Vary names Accept-Encoding."""
    method, path, body, headers = large_requests(applicants, fields)[kind]

    plain = ask(model, method, path, body, headers)
    compressed = ask(model, method, path, body, headers | {"accept-encoding": "gzip, deflate, br"})

    assert (plain.status, compressed.status) == (200, 200)
    assert len(plain.content) >= MIN_COMPRESSED_BYTES
    assert gzip.decompress(compressed.content) == plain.content
    assert len(compressed.content) < len(plain.content)
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.headers["content-length"] == str(len(compressed.content))
    assert compressed.headers["vary"] == "Accept-Encoding"
    assert compressed.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize("accepted", [None, "identity", "br", ""])
def test_a_large_answer_is_not_compressed_for_other_clients(model: Model, accepted: str | None) -> None:
    """Without gzip in Accept-Encoding the answer is plain; Vary names the header all the same."""
    headers = {} if accepted is None else {"accept-encoding": accepted}

    answer = ask(model, "GET", "/openapi.json", b"", headers)

    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert json.loads(answer.content)["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    "size", [0, 1, 500, MIN_COMPRESSED_BYTES - 1, MIN_COMPRESSED_BYTES, MIN_COMPRESSED_BYTES + 1, 1_000_000]
)
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_answers_below_the_minimum_size_are_not_compressed(model: Model, size: int, accepted: str) -> None:
    """MIN_COMPRESSED_BYTES is the smallest size that is compressed."""

    async def answer(request: Request) -> Response:
        return Response(b"x" * size, media_type="text/plain")

    exchange = Conversation("GET", "/", headers={"accept-encoding": accepted})

    asyncio.run(exchange.run(around(answer, model)))

    is_compressed = size >= MIN_COMPRESSED_BYTES and accepted == "gzip"
    assert (exchange.headers.get("content-encoding") == "gzip") == is_compressed
    assert (zlib.decompress(exchange.content, 31) if is_compressed else exchange.content) == b"x" * size
    assert exchange.headers["content-length"] == str(len(exchange.content))


def test_compression_extends_the_vary_header(model: Model) -> None:
    """A Vary header of the handler is kept."""

    async def answer(request: Request) -> Response:
        return Response(b"x" * MIN_COMPRESSED_BYTES, headers={"vary": "Accept-Language"})

    exchange = Conversation("GET", "/", headers={"accept-encoding": "gzip"})

    asyncio.run(exchange.run(around(answer, model)))

    assert exchange.headers["vary"] == "Accept-Language, Accept-Encoding"


def test_an_exception_of_a_handler_is_not_caught() -> None:
    """The middleware around the endpoint handles it."""

    async def fail(request: Request) -> Response:
        raise RuntimeError("of this request")

    exchange: Any = Conversation("GET", "/")

    with pytest.raises(RuntimeError, match="of this request"):
        asyncio.run(exchange.run(Endpoint("GET", "/", fail)))
    assert exchange.sent == []


class SlowReader(Conversation):
    """A client that receives the first part of an answer and then nothing, like a full socket buffer."""

    async def send(self, message: Message) -> None:
        """Accept the first part, then block."""
        if len(self.sent) == 2:
            await asyncio.Event().wait()
        await super().send(message)


def test_a_client_that_stops_reading_is_disconnected(model: Model) -> None:
    """The unsent answer counts towards MAX_ALL_BODY_BYTES until BODY_TIMEOUT has passed."""
    app = create_app_for_model(model, Settings(body_timeout=1))
    state = app.state.service
    exchange = SlowReader("GET", "/openapi.json", [b""], {})

    async def ask() -> tuple[int, float]:
        task = asyncio.create_task(exchange.run(app))
        await asyncio.sleep(0.1)
        held, began = state.body_bytes, time.monotonic()
        await task
        return held, time.monotonic() - began

    state.runtime.openapi_json = b"x" * (2 * CHUNK_BYTES + 1)
    held, seconds = asyncio.run(ask())

    assert held == 2 * CHUNK_BYTES + 1
    assert (state.body_bytes, state.requests) == (0, 0)
    assert 0.5 < seconds < 5


def test_answers_beyond_the_memory_for_all_bodies_are_503(model: Model) -> None:
    """So that unread answers can't exhaust the memory."""
    app = create_app_for_model(model)
    app.state.service.body_bytes = Settings().max_all_body_bytes

    exchange = Conversation("GET", "/openapi.json", [b""], {})
    asyncio.run(exchange.run(app))

    assert (exchange.status, exchange.headers["retry-after"]) == (503, "1")
