"""Reading of bodies: limits of one body and of all bodies together, decompression, and release of the memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from model.session import Model
from serve.api.body import MIN_INFLATE_CHUNK_BYTES, RAW_DEFLATE_WINDOW_BITS, WINDOW_BITS, inflate
from serve.app import create_app_for_model
from serve.schemas.problems import HTTPProblem, InvalidApplicants
from serve.settings import Settings
from serve.state import AppState
from tests.serve.conversation import Conversation, HangingUp, Stalled

PART = 1000
"""Bytes of a part."""

MakeClient = Callable[..., httpx.Client]

GZIP, ZLIB = WINDOW_BITS[b"gzip"], WINDOW_BITS[b"deflate"]

COMPRESSIONS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB, "deflate, raw": RAW_DEFLATE_WINDOW_BITS}
"""Content-Encoding → window bits with which zlib writes it."""


def compress(content: bytes, window_bits: int, level: int = 6) -> bytes:
    """Content compressed by zlib with these window bits."""
    stream = zlib.compressobj(level, zlib.DEFLATED, window_bits)
    return stream.compress(content) + stream.flush()


def in_use(app: Starlette) -> tuple[int, int, int]:
    """Requests in progress, bytes of bodies, and tasks that read a body."""
    state: AppState = app.state.service
    return state.requests, state.body_bytes, len(state.reading)


def post(parts: Iterable[bytes], **headers: str) -> Conversation:
    """A POST /predict whose body arrives in these parts."""
    return Conversation("POST", "/predict", parts, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def body(vector: list[Any]) -> bytes:
    """The body of one applicant."""
    return json.dumps({"data": [vector]}).encode()


@pytest.mark.parametrize(
    ("length", "shown"), [("1025", "1,025"), ("9" * 20, "99,999,999,999,999,999,999"), ("9" * 4000, "99")]
)
def test_a_content_length_above_the_limit_is_413_without_reading(model: Model, length: str, shown: str) -> None:
    """At most the one part that the server holds already is read."""
    exchange = post([b" " * PART] * 5, content_length=length)

    asyncio.run(exchange.run(create_app_for_model(model, Settings(max_body_bytes=1024))))

    assert exchange.status == 413
    assert exchange.receive_calls <= 1
    assert exchange.json["detail"].startswith(f"the body: got {shown}")
    assert "expected at most 1,024; send several smaller bodies" in exchange.json["detail"]


def test_a_content_length_above_the_limit_is_413_at_once(model: Model) -> None:
    """The answer is sent before any of the body has arrived."""
    exchange = Stalled("POST", "/predict", [b" ", b" "], {"content-length": "1025"})
    exchange.receive_calls = 1

    asyncio.run(exchange.run(create_app_for_model(model, Settings(max_body_bytes=1024))))

    assert exchange.status == 413


def test_a_chunked_body_is_413_as_soon_as_it_exceeds_the_limit(model: Model) -> None:
    """Reading ends with the part that exceeds the limit; at most one more part is read and dropped."""
    exchange = post([b" " * PART] * 100, transfer_encoding="chunked")
    app = create_app_for_model(model, Settings(max_body_bytes=10_240))

    asyncio.run(exchange.run(app))

    assert exchange.status == 413
    assert "more than 10,240 bytes" in exchange.json["detail"]
    assert 11 <= exchange.receive_calls <= 12
    assert in_use(app) == (0, 0, 0)


@pytest.mark.parametrize("size", [1024, 1025])
def test_the_limit_of_bytes_is_the_largest_body(model: Model, make_client: MakeClient, body: bytes, size: int) -> None:
    """A body of MAX_BODY_BYTES is read, and one byte more is 413."""
    response = make_client(model, Settings(max_body_bytes=1024)).post("/predict", content=body.ljust(size))

    assert response.status_code == {1024: 200, 1025: 413}[size]


@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_a_body_in_any_parts_is_the_same_body(model: Model, cuts: list[int]) -> None:
    """The answer doesn't depend on how the network divides the body."""
    content = b'{"data": [[45.5, 320, 1, 1, 0.75]]}'
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    exchange = post([content[start:end] for start, end in pairwise(edges)], content_length=str(len(content)))

    asyncio.run(exchange.run(create_app_for_model(model, Settings(log_level="warning"))))

    expected = model.score(np.array([[45.5, 320, 1, 1, 0.75]])).probability.tolist()
    assert (exchange.status, exchange.json) == (200, expected)


@pytest.mark.parametrize("missing", [1, 10])
def test_a_body_that_is_shorter_than_its_length_is_400_and_the_connection_ends(
    model: Model, body: bytes, missing: int
) -> None:
    """Otherwise a server could take the rest of the body for the next request."""
    exchange = post([body], content_length=str(len(body) + missing))
    app = create_app_for_model(model)

    asyncio.run(exchange.run(app))

    assert (exchange.status, exchange.headers["connection"]) == (400, "close")
    assert exchange.json["type"] == "urn:problem:body-cut-off"
    detail = f"Content-Length is {len(body) + missing}, but the body ended after {len(body)} bytes"
    assert detail in exchange.json["error"]
    assert in_use(app) == (0, 0, 0)


@pytest.mark.parametrize("path", ["/predict", "/score", "/score as CSV", "/v2/models/test/infer"])
@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_compressed_body_is_the_same_body(client: httpx.Client, vector: list[Any], path: str, encoding: str) -> None:
    """gzip, and deflate with or without zlib's header, are answered like the plain body."""
    tensor = {"name": "applicants", "shape": [1, 5], "datatype": "FP64", "data": vector}
    contents = {
        "/predict": json.dumps({"data": [vector]}),
        "/score": json.dumps({"applicants": [vector]}),
        "/score as CSV": "Amount,Income,Home,Client,Debt/Income~12m\n1,,,True,1\n",
        "/v2/models/test/infer": json.dumps({"inputs": [tensor]}),
    }
    content, headers = contents[path].encode(), {"content-type": "text/csv" if "CSV" in path else "application/json"}
    address = path.split()[0]

    plain = client.post(address, content=content, headers=headers)
    compressed = client.post(
        address,
        content=compress(content, COMPRESSIONS[encoding]),
        headers=headers | {"content-encoding": encoding.partition(",")[0]},
    )

    assert compressed.status_code == 200
    assert compressed.content == plain.content


@pytest.mark.parametrize("encoding", ["GZIP", " gzip ", "identity", ""])
def test_an_encoding_is_written_in_any_capitals_or_is_none(client: httpx.Client, body: bytes, encoding: str) -> None:
    """The names of encodings are case-insensitive, and `identity` means no encoding."""
    content = compress(body, GZIP) if "gzip" in encoding.lower() else body

    assert client.post("/predict", content=content, headers={"content-encoding": encoding}).status_code == 200


@pytest.mark.parametrize(
    "encodings", [["br"], ["zstd"], ["gzip, gzip"], ["gzip", "gzip"], ["br", "gzip"], ["gzip", "identity"], ["ö"]]
)
def test_an_unknown_encoding_is_415_and_names_the_supported_ones(
    model: Model, body: bytes, encodings: list[str]
) -> None:
    """In one header or several, which form one list; the body is not read."""
    exchange = post([body] * 3, content_length="300")
    exchange.scope["headers"] += [(b"content-encoding", encoding.encode()) for encoding in encodings]
    app = create_app_for_model(model)

    asyncio.run(exchange.run(app))

    assert (exchange.status, exchange.headers["accept-encoding"]) == (415, "gzip, deflate")
    assert exchange.json["type"] == "urn:problem:unknown-encoding"
    assert exchange.receive_calls <= 1
    assert in_use(app) == (0, 0, 0)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "not compressed": lambda content: b'{"data": []}',
    "nothing": lambda content: b"",
    "cut off": lambda content: content[:-1],
    "half": lambda content: content[: len(content) // 2],
    "only a head": lambda content: content[:10],
    "one byte": lambda content: content[:1],
    "bytes after it": lambda content: content + b"x",
    "twice": lambda content: content * 2,
}


@pytest.mark.parametrize("encoding", COMPRESSIONS)
@pytest.mark.parametrize("how", BROKEN)
def test_a_body_that_cant_be_decompressed_is_400(client: httpx.Client, body: bytes, encoding: str, how: str) -> None:
    """Invalid, truncated, or followed by more bytes: the problem says which."""
    content = BROKEN[how](compress(body, COMPRESSIONS[encoding]))

    response = client.post("/predict", content=content, headers={"content-encoding": encoding.partition(",")[0]})

    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    (fault,) = response.json()["errors"]
    assert (fault["pointer"], fault["detail"].partition(":")[0]) == ("", "the body can't be decompressed")


def test_a_changed_checksum_is_400(client: httpx.Client, body: bytes) -> None:
    """The checksum of gzip and zlib is verified."""
    content = bytearray(gzip.compress(body))
    content[-6] ^= 1

    response = client.post("/predict", content=bytes(content), headers={"content-encoding": "gzip"})

    assert response.status_code == 400
    assert "incorrect data check" in response.json()["error"]


@pytest.mark.parametrize("encoding", COMPRESSIONS)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_decompressed_or_refused_and_nothing_else(encoding: str, content: bytes) -> None:
    """Random bytes raise nothing but InvalidApplicants."""
    try:
        inflated = inflate(content, COMPRESSIONS[encoding] if encoding != "deflate, raw" else ZLIB, 10_000)
    except InvalidApplicants:
        return
    assert isinstance(inflated, bytearray)


SPREAD = [0, 1, 2, 100, 257, 258, 259, 500]
"""Offsets around a chunk at which the longest repetition of deflate, 258 bytes, begins or ends."""


@pytest.mark.parametrize("encoding", COMPRESSIONS)
@pytest.mark.parametrize("piece", [b" ", b"ab", b"abc, "])
@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_body_of_any_length_comes_out_whole(encoding: str, piece: bytes, level: int) -> None:
    """Also where the last compressed byte yields more than one step of decompression."""
    for size in (times * MIN_INFLATE_CHUNK_BYTES + more for times in (1, 2, 3) for more in SPREAD):
        content = (piece * size)[:size]
        bits = COMPRESSIONS[encoding]

        inflated = inflate(compress(content, bits, level), ZLIB if bits == RAW_DEFLATE_WINDOW_BITS else bits, size)

        assert inflated == content


def test_a_body_that_cant_be_made_smaller_is_decompressed_in_one_pass() -> None:
    """The time grows linearly with the size of an incompressible body."""
    content = random.Random(1).randbytes(64 * 1024 * 1024)  # noqa: S311 - to be the same each time

    assert inflate(compress(content, GZIP, 0), GZIP, len(content)) == content


@pytest.mark.parametrize("encoding", COMPRESSIONS)
@pytest.mark.parametrize("size", [10_240, 10_241])
def test_the_limit_of_bytes_holds_for_what_is_decompressed(
    model: Model, make_client: MakeClient, body: bytes, encoding: str, size: int
) -> None:
    """413 for a small body whose decompressed size exceeds the limit, which the problem names."""
    content = compress(body.ljust(size), COMPRESSIONS[encoding])
    headers = {"content-encoding": encoding.partition(",")[0]}

    response = make_client(model, Settings(max_body_bytes=10_240)).post("/predict", content=content, headers=headers)

    assert len(content) < 200
    assert response.status_code == {10_240: 200, 10_241: 413}[size]
    if size > 10_240:
        assert "more than 10,240 bytes, decompressed, expected at most 10,240" in response.json()["error"]


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_body_that_would_fill_the_memory_costs_little(encoding: str) -> None:
    """Decompression of a zip bomb, 200 MB of blanks in less than 1 MB, ends soon after the limit."""
    most = 4 * 1024 * 1024
    bits = COMPRESSIONS[encoding]
    content = compress(b" " * 200_000_000, bits, 1)

    tracemalloc.start()
    try:
        with pytest.raises(HTTPProblem, match="more than 4,194,304 bytes, decompressed"):
            inflate(content, ZLIB if bits == RAW_DEFLATE_WINDOW_BITS else bits, most)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(content) < 1_000_000
    assert peak < 4 * most


def test_bodies_beyond_the_memory_for_all_bodies_are_503(model: Model, body: bytes) -> None:
    """MAX_ALL_BODY_BYTES: only the body that exceeds it is refused; the others and later ones are answered."""
    app = create_app_for_model(model, Settings(max_body_bytes=10_000, max_all_body_bytes=10_000))
    padded = body.ljust(9_000)

    async def ask() -> tuple[Conversation, ...]:
        held = Stalled("POST", "/predict", [padded[:8_000], padded[8_000:]])
        waiting = asyncio.create_task(held.run(app))
        while in_use(app)[1] < 8_000:
            await asyncio.sleep(0)
        refused = post([b" " * PART] * 10)
        await refused.run(app)
        small = post([body])
        await small.run(app)
        assert in_use(app) == (1, 8_000, 1)
        held.may_go_on.set()
        await waiting
        later = post([padded[:8_000], padded[8_000:]])
        await later.run(app)
        return held, refused, small, later

    held, refused, small, later = asyncio.run(ask())

    assert [one.status for one in (held, refused, small, later)] == [200, 503, 200, 200]
    assert (refused.headers["retry-after"], refused.json["type"]) == ("1", "urn:problem:too-busy")
    assert "the bodies being read hold more than 10,000 bytes together" in refused.json["error"]
    assert in_use(app) == (0, 0, 0)


def test_a_compressed_body_counts_until_it_is_decompressed(model: Model, body: bytes) -> None:
    """Compressed bodies that wait for a thread count towards MAX_ALL_BODY_BYTES."""
    app, content = create_app_for_model(model), compress(body, GZIP)
    seen: list[int] = []
    state: AppState = app.state.service
    run = state.run_blocking

    async def note(call: Callable[[], Any]) -> Any:
        seen.append(state.body_bytes)
        return await run(call)

    state.run_blocking = note  # type: ignore[method-assign]
    exchange = post([content], content_encoding="gzip")

    asyncio.run(exchange.run(app))

    assert (exchange.status, seen) == (200, [len(content)])
    assert in_use(app) == (0, 0, 0)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"data": [[45.5, 320, 1, 1, 0.75]]}', {}, 200),
        (b'{"data": [[45.5]]}', {}, 400),
        (b"[" * 5_000, {}, 413),
        (b"[", {"content-length": "5000"}, 413),
        (b"[", {"content-length": "2"}, 400),
        (b"[", {"content-encoding": "br"}, 415),
        (b"[", {"content-encoding": "gzip"}, 400),
        (compress(b" " * 5_000, GZIP), {"content-encoding": "gzip"}, 413),
        (compress(b'{"data": [[45.5, 320, 1, 1, 0.75]]}', GZIP), {"content-encoding": "gzip"}, 200),
    ],
)
def test_nothing_is_held_of_a_body_that_is_answered(
    model: Model, body: bytes, headers: dict[str, str], status: int
) -> None:
    """All counters return to zero after any answer."""
    app = create_app_for_model(model, Settings(max_body_bytes=4_096))
    for parts in ([body], [body[:10], body[10:], b""], [bytes([byte]) for byte in body]):
        exchange = Conversation("POST", "/predict", parts, headers)

        asyncio.run(exchange.run(app))

        assert exchange.status == status
        assert in_use(app) == (0, 0, 0)


def test_nothing_is_held_of_a_body_whose_client_hangs_up(model: Model) -> None:
    """All counters return to zero after a disconnect, and no answer is sent."""
    app = create_app_for_model(model)
    exchange = HangingUp("POST", "/predict", [b'{"data": ', b"[["])

    asyncio.run(exchange.run(app))

    assert exchange.sent == []
    assert in_use(app) == (0, 0, 0)


def test_nothing_is_held_of_a_body_whose_request_is_cancelled(model: Model) -> None:
    """At shutdown a request ends with CancelledError, not with 408, and all counters return to zero."""
    app = create_app_for_model(model)

    async def ask() -> tuple[int, int, int]:
        exchange = Stalled("POST", "/predict", [b"[" * PART, b"["])
        task = asyncio.create_task(exchange.run(app))
        while not in_use(app)[1]:
            await asyncio.sleep(0)
        before = in_use(app)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert exchange.sent == []
        return before

    assert asyncio.run(ask()) == (1, PART, 1)
    assert in_use(app) == (0, 0, 0)
