"""An endpoint as an ASGI application: large answers are compressed for those who take that, small ones never."""

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
from serve.api.endpoint import COMPRESSED_FROM, PIECE_BYTES, Endpoint
from serve.app import make_app
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_csv, to_json, to_matrix_tensor
from tests.serve.conversation import Conversation


def ask(model: Model, method: str, path: str, body: bytes, headers: dict[str, str]) -> Conversation:
    """Have a request answered."""
    asked = Conversation(method, path, [body], headers)
    asyncio.run(asked.run(make_app(model)))
    return asked


def around(answer: Callable[[Request], Awaitable[Response]], model: Model) -> Starlette:
    """An application with one endpoint, and the state of the service around a model."""
    app = Starlette(routes=[Route("/", Endpoint("GET", "/", answer), methods=["GET"])])
    app.state.service = make_app(model).state.service
    return app


def large_requests(applicants: Matrix, fields: tuple[Field, ...]) -> dict[str, tuple[str, str, bytes, dict[str, str]]]:
    """Requests with large answers, by what the answer is."""
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
def test_a_large_answer_is_compressed_for_those_who_take_gzip(
    model: Model, applicants: Matrix, fields: tuple[Field, ...], kind: str
) -> None:
    """The same bytes after decompression; the length is what is sent, and a cache learns what it depends on."""
    method, path, body, headers = large_requests(applicants, fields)[kind]

    plain = ask(model, method, path, body, headers)
    compressed = ask(model, method, path, body, headers | {"accept-encoding": "gzip, deflate, br"})

    assert (plain.status, compressed.status) == (200, 200)
    assert len(plain.content) >= COMPRESSED_FROM
    assert gzip.decompress(compressed.content) == plain.content
    assert len(compressed.content) < len(plain.content)
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.headers["content-length"] == str(len(compressed.content))
    assert compressed.headers["vary"] == "Accept-Encoding"
    assert compressed.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize("accepted", [None, "identity", "br", ""])
def test_a_large_answer_is_never_compressed_for_others(model: Model, accepted: str | None) -> None:
    """Without Accept-Encoding, or with one that doesn't name gzip; the answer depends on it all the same."""
    headers = {} if accepted is None else {"accept-encoding": accepted}

    answer = ask(model, "GET", "/openapi.json", b"", headers)

    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert json.loads(answer.content)["openapi"] == "3.1.0"


@pytest.mark.parametrize("size", [0, 1, 500, COMPRESSED_FROM - 1, COMPRESSED_FROM, COMPRESSED_FROM + 1, 1_000_000])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_the_size_of_an_answer_decides(model: Model, size: int, accepted: str) -> None:
    """A small one takes less time than compressing it."""

    async def answer(request: Request) -> Response:
        return Response(b"x" * size, media_type="text/plain")

    asked = Conversation("GET", "/", headers={"accept-encoding": accepted})

    asyncio.run(asked.run(around(answer, model)))

    is_compressed = size >= COMPRESSED_FROM and accepted == "gzip"
    assert (asked.headers.get("content-encoding") == "gzip") == is_compressed
    assert (zlib.decompress(asked.content, 31) if is_compressed else asked.content) == b"x" * size
    assert asked.headers["content-length"] == str(len(asked.content))


def test_an_answer_keeps_what_else_it_depends_on(model: Model) -> None:
    """`Vary` has both."""

    async def answer(request: Request) -> Response:
        return Response(b"x" * COMPRESSED_FROM, headers={"vary": "Accept-Language"})

    asked = Conversation("GET", "/", headers={"accept-encoding": "gzip"})

    asyncio.run(asked.run(around(answer, model)))

    assert asked.headers["vary"] == "Accept-Language, Accept-Encoding"


def test_a_failed_answer_leaves_its_endpoint_as_it_was_raised() -> None:
    """The middleware around it makes a problem of it."""

    async def fail(request: Request) -> Response:
        raise RuntimeError("of this request")

    asked: Any = Conversation("GET", "/")

    with pytest.raises(RuntimeError, match="of this request"):
        asyncio.run(asked.run(Endpoint("GET", "/", fail)))
    assert asked.sent == []


class SlowReader(Conversation):
    """A client that takes the first part of an answer and then nothing more, as a full socket buffer shows it."""

    async def send(self, message: Message) -> None:
        """Wait for ever once there is something that was not taken."""
        if len(self.sent) == 2:
            await asyncio.Event().wait()
        await super().send(message)


def test_an_answer_that_nobody_takes_is_given_up(model: Model) -> None:
    """It counts among the bytes of all bodies as long as it is held, and no longer."""
    app = make_app(model, Settings(body_seconds=1))
    state = app.state.service
    asked = SlowReader("GET", "/openapi.json", [b""], {})

    async def ask() -> tuple[int, float]:
        task = asyncio.create_task(asked.run(app))
        await asyncio.sleep(0.1)
        held, began = state.body_bytes, time.monotonic()
        await task
        return held, time.monotonic() - began

    state.runtime.openapi = b"x" * (2 * PIECE_BYTES + 1)
    held, seconds = asyncio.run(ask())

    assert held == 2 * PIECE_BYTES + 1
    assert (state.body_bytes, state.requests) == (0, 0)
    assert 0.5 < seconds < 5


def test_answers_beyond_what_all_may_hold_together_are_refused(model: Model) -> None:
    """503 at once, so that many that nobody reads don't fill the memory."""
    app = make_app(model)
    app.state.service.body_bytes = Settings().all_body_bytes

    asked = Conversation("GET", "/openapi.json", [b""], {})
    asyncio.run(asked.run(app))

    assert (asked.status, asked.headers["retry-after"]) == (503, "1")
