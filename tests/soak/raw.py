"""Hostile requests as raw bytes, with their expected statuses, and a client that sends raw bytes.

`make soak` runs all of them; tests/serve/test_raw.py each case, against a service with BODY_TIMEOUT=1.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

ANSWER_SECONDS = 20.0
"""A connection without an answer for this long counts as hung."""

QUIET_SECONDS = 0.05
"""Pause after which no further answer is expected."""

MAX_CONCURRENT = 8
"""Hostile requests in progress at once."""

FUZZ_SETTINGS = {"BODY_TIMEOUT": "1", "QUEUE_BODIES": "100"}
"""Settings of the service: limits high enough that no request gets 503."""

PART = 65_536


def request(body: bytes, path: str = "/score", length: str | None = None, more: str = "") -> bytes:
    """A POST request; `length` overrides Content-Length, `more` are further header lines."""
    told = f"Content-Length: {len(body) if length is None else length}\r\n" if length != "" else ""
    return f"POST {path} HTTP/1.1\r\nHost: test\r\n{told}{more}\r\n".encode() + body


def chunked(*chunks: bytes) -> bytes:
    """A chunked body, with its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


BODIES: dict[str, bytes] = {
    "empty": b"",
    "raw bytes": bytes(range(256)),
    "zeros": bytes(1000),
    "truncated": b'{"applicants": [{"Income": 12',
    "a list 100,000 deep": b'{"applicants": ' + b"[" * 100_000,
    "a closed list 100,000 deep": b'{"applicants": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an object 100,000 deep": b'{"applicants":' * 100_000,
    "as deep as can be read": b'{"applicants": ' + b"[" * 970 + b"]" * 970 + b"}",
    "1e400": b'{"applicants": [{"Income": 1e400}]}',
    "an integer of 100,000 digits": b'{"applicants": [{"Income": ' + b"9" * 100_000 + b"}]}",
    "NaN": b'{"applicants": [{"Income": NaN}]}',
    "Infinity": b'{"applicants": [{"Income": Infinity}]}',
    "-Infinity": b'{"applicants": [{"Income": -Infinity}]}',
    "a lone surrogate, escaped": b'{"applicants": [{"id": "\\ud800"}]}',
    "a lone surrogate, raw": b'{"applicants": [{"id": "\xed\xa0\x80"}]}',
    "overlong UTF-8": b'{"applicants": [{"id": "\xc0\xaf"}]}',
    "UTF-16": '{"applicants": []}'.encode("utf-16"),
    "duplicate members": b'{"applicants": [], "applicants": []}',
    "two documents": b"{}{}",
    "a hundred thousand unknown fields": b'{"applicants": [{%s}]}' % b",".join(b'"%x": 0' % n for n in range(100_000)),
    "ten thousand empty applicants": b'{"applicants": [' + b"{}," * 9_999 + b"{}]}",
    "a million rows": b'{"applicants": [' + b"0," * 999_999 + b"0]}",
    "a formula of a name": b'{"__proto__": {}, "$where": "1"}',
}
"""Invalid bodies: 400, or 413 for too many rows, at every path with a body."""

FIELD = "X-Filler"

CHUNKED = "Transfer-Encoding: chunked\r\n"

NO_HTTP: dict[str, bytes] = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SMTP": b"HELO test\r\n",
    "an unknown method": b"STEAL /score HTTP/1.1\r\nHost: test\r\n\r\n",
    "no path": b"POST HTTP/1.1\r\n\r\n",
    "a negative length": request(b"{}", length="-1"),
    "a length in words": request(b"{}", length="two"),
    "a length beyond 64 bits": request(b"{}", length="9" * 30),
    "two lengths": request(b"{}", more="Content-Length: 4\r\n"),
    "length and chunks": request(chunked(b"{}"), more=CHUNKED),
    "a length too short": request(b'{"applicants": []}', length="5"),
    "a chunk of no size": request(b"zz\r\n{}\r\n", length="", more=CHUNKED),
    "a control character in a header": request(b"{}", more=f"{FIELD}: \x01\x02\r\n"),
    "a huge path": request(b"{}", path="/" + "x" * 300_000),
}
"""Invalid HTTP: the server's own 400, and the end of the connection."""

REFUSAL = b"Invalid HTTP request received."
"""The server's own answer to invalid HTTP."""

HEADS: dict[str, tuple[bytes, set[int]]] = {
    "a length too long": (request(b"{}", length="1000"), {408}),
    "a length beyond the limit": (request(b"{}", length="5000000"), {413}),
    "a large body": (request(b"[" * 5_000_000), {413}),
    "chunks without an end": (request(b"2\r\n{}\r\n", length="", more=CHUNKED), {408}),
    "large chunks": (request(chunked(*[b"[" * 100_000] * 50), length="", more=CHUNKED), {413}),
    "a body in single bytes": (request(chunked(*[b"["] * 20_000), length="", more=CHUNKED), {400}),
    "a huge header": (request(b"{}", more=f"{FIELD}: {'x' * 300_000}\r\n"), {400}),
    "many headers": (request(b"{}", more=f"{FIELD}: x\r\n" * 100_000), {400}),
    "a path that is no UTF-8": (request(b"{}", path="/%ff%fe%00"), {404}),
    "tensors longer than the body": (
        request(b"{}", "/v2/models/x/infer", more="Inference-Header-Content-Length: 999\r\n"),
        {400, 404},
    ),
}
"""Complete requests with invalid or excessive headers, lengths or chunks, and the allowed statuses.

The server's parser accepts headers of any size; then the body is invalid.
"""

ENDLESS: dict[str, bytes] = {
    "a header without an end": request(b"")[:-2] + f"{FIELD}: ".encode() + b"x" * 2_000_000,
    "a head that stops": b"POST /score HTTP/1.1\r\nHost: te",
}
"""Incomplete headers: they get no answer, and must not block other requests."""

PATHS = ("/score", "/predict")


def cases(infer: str) -> Iterator[tuple[str, bytes, set[int]]]:
    """Name, bytes and allowed statuses of every request; `infer` is the path of the model's inference."""
    for path in (*PATHS, infer):
        for name, body in BODIES.items():
            member = {"/predict": b'"data"', infer: b'"inputs"'}.get(path, b'"applicants"')
            yield f"{path}: {name}", request(body.replace(b'"applicants"', member), path), {400, 413}
    for name, content in NO_HTTP.items():
        yield name, content, {400}
    for name, (content, statuses) in HEADS.items():
        yield name, content, statuses


async def answers(port: int, content: bytes, *, pause: float = 0.0) -> list[tuple[int, bytes]]:
    """Status and body of every answer to these bytes, sent at once or byte by byte on one connection.

    Empty if the service closes the connection without an answer; raises TimeoutError if nothing happens.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sending = asyncio.create_task(_send(writer, content, pause))
    found = []
    seconds = ANSWER_SECONDS
    try:
        while True:
            async with asyncio.timeout(seconds):
                found.append(await _read_answer(reader))
            # Answers to bytes after the body may follow.
            seconds = QUIET_SECONDS
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    except TimeoutError:
        if not found:
            raise
    finally:
        sending.cancel()
        writer.close()
    return found


async def _send(writer: asyncio.StreamWriter, content: bytes, pause: float) -> None:
    # A refused client may find the connection closed while it sends; the answer can still be read.
    with suppress(ConnectionError):
        if pause:
            for place in range(len(content)):
                writer.write(content[place : place + 1])
                await asyncio.sleep(pause)
        for start in range(0, 0 if pause else len(content), PART):
            writer.write(content[start : start + PART])
            await writer.drain()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return int(head[9:12]), await reader.readexactly(int(lines[b"content-length"]))


def mutants(bodies: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Valid bodies with random bytes changed, removed, doubled or inserted."""
    chance = random.Random(seed)  # noqa: S311 - to be the same each time
    pieces = [b'"', b"{", b"]", b",", b":", b"-", b"1e999", b"null", b"\xff", b"\x00", b"\\ud800", b"[[[[", b"true"]
    for _ in range(count):
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body) + 1)
            length = chance.randint(0, 8)
            put = chance.choice([chance.randbytes(length), chance.choice(pieces), bytes(body[place : place + length])])
            body[place : place + chance.choice([0, length])] = put
        yield bytes(body)


async def send_mutants(port: int, path: str, bodies: list[bytes], count: int, seed: int) -> Counter[int]:
    """Send mutated bodies over several connections; returns the number of answers by status."""
    found: Counter[int] = Counter()
    todo = mutants(bodies, count, seed)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in todo:
            writer.write(request(body, path))
            status, content = await _read_answer(reader)
            if status != 200:
                json.loads(content)
            found[status] += 1
        writer.close()

    await asyncio.gather(*(work() for _ in range(8)))
    return found
