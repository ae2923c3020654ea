"""The kinds of requests that a stream may contain, and how each is written as HTTP."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.differential.wire import Answer

KEY = "a-key-of-24-characters--"

MAX_BYTES = 262_144
"""MAX_BODY_BYTES of the service."""

TOO_LARGE = 300_000

NO_ID = "id--------"
"""Placeholder for a request's id, of the same length."""

ANY = -1
"""Any length is right."""


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request and its expected status; NO_ID in its body is replaced by the id of the request.

    `is_read`: the service answers after the body only. `is_same`: the answer is always the same, except for the id.
    """

    name: str
    method: str
    path: str
    status: int = 200
    body: bytes = b""
    fields: tuple[str, ...] = ()
    is_read: bool = True
    has_key: bool = True
    is_compressed: bool = False
    is_same: bool = True


def make_cases(model: str) -> list[Case]:
    """All cases, for a service whose model has this name."""
    infer = f"/v2/models/{model}/infer"
    csv = ("Content-Type: text/csv",)
    huge = b"[" * TOO_LARGE
    return [
        *(Case(f"score {n}", "POST", "/score", body=score(n)) for n in range(12)),
        *(Case(f"predict {n}", "POST", "/predict", body=predict(n)) for n in range(12)),
        Case("score some", "POST", "/score", body=score(20, 7)),
        Case("score, no reasons", "POST", "/score", body=score(40, 30, reasons=0)),
        Case("score a table", "POST", "/score", body=table(60, 2), fields=csv),
        Case("score, compressed", "POST", "/score", body=score(90), is_compressed=True),
        Case("predict some", "POST", "/predict", body=predict(70, 20)),
        Case("infer", "POST", infer, body=infer_json(80, 3)),
        Case("infer raw", "POST", infer, body=infer_raw(85, 3)[0], fields=infer_raw(85, 3)[1]),
        Case("predict many", "POST", "/predict", body=predict(100, 3000)),
        Case("score many", "POST", "/score", body=score(200, 150)),
        Case(
            "score many, answer compressed", "POST", "/score", body=score(400, 150), fields=("Accept-Encoding: gzip",)
        ),
        Case("no JSON", "POST", "/score", 400, b'{"applicants": [{'),
        Case("no body", "POST", "/predict", 400),
        Case("unknown field", "POST", "/score", 400, b'{"applicants": [{"id": "%b", "Shoe": 1}]}' % NO_ID.encode()),
        Case("too few values", "POST", "/predict", 400, b'{"data": [[1, 2], [3]]}'),
        Case("too many rows", "POST", "/predict", 413, b'{"data": [%b0]}' % (b"0," * 10_000)),
        Case("not compressed", "POST", "/score", 400, b"plain", ("Content-Encoding: gzip",)),
        Case("no key", "POST", "/score", 401, score(0), is_read=False, has_key=False),
        Case("no key, large", "POST", "/score", 401, huge, is_read=False, has_key=False),
        Case("too large", "POST", "/predict", 413, huge, is_read=False),
        Case("no such path", "POST", "/nowhere", 404, huge, is_read=False),
        Case("wrong method", "PUT", "/score", 405, score(1), is_read=False),
        Case("unknown encoding", "POST", "/score", 415, bytes(70_000), ("Content-Encoding: br",), is_read=False),
        Case("live", "GET", "/livez"),
        Case("ready", "GET", "/readyz"),
        Case("model", "GET", "/model"),
        Case("openapi", "GET", "/openapi.json"),
        Case("home", "GET", "/?lang=en"),
        Case("docs", "GET", "/docs"),
        Case("metrics", "GET", "/metrics", is_same=False),
        Case("server", "GET", "/v2"),
        Case("nothing there", "GET", "/nowhere", 404),
        Case("live, head alone", "HEAD", "/livez"),
        Case("openapi, head alone", "HEAD", "/openapi.json"),
        Case("wrong method, head alone", "HEAD", "/score", 405),
        Case("options", "OPTIONS", "/score", 405),
    ]


def name_applicant(number: int) -> dict[str, Any]:
    """An applicant of the checkout's model; another one for each number."""
    return {
        "Seniority": number % 37,
        "Home": "rent",
        "Time": 12 + number % 49,
        "Records": "no",
        "Job": "fixed",
        "Expenses": 35 + number % 97,
        "Income": 60 + number * 7 % 401,
        "Assets": 0,
        "Debt": 0,
        "Amount": 500 + number * 13 % 2003,
        "Price": 1700 + number % 11,
    }


def vector(number: int) -> list[float]:
    """The same applicant as a vector: categories as the index of their level."""
    named = name_applicant(number) | {"Home": 5, "Records": 0, "Job": 0}
    return [float(value) for value in named.values()]


def score(start: int, count: int = 1, reasons: int = 2) -> bytes:
    """A body of POST /score; its first applicant has the id of the request."""
    applicants = [name_applicant(start + number) for number in range(count)]
    return json.dumps({"applicants": [{"id": NO_ID} | applicants[0], *applicants[1:]], "reasons": reasons}).encode()


def table(start: int, count: int) -> bytes:
    """The same as CSV."""
    applicants = [{"id": NO_ID} | name_applicant(start + number) for number in range(count)]
    return "\n".join(
        ",".join(map(str, line)) for line in [list(applicants[0]), *(a.values() for a in applicants)]
    ).encode()


def predict(start: int, count: int = 1) -> bytes:
    """A body of POST /predict."""
    return json.dumps({"data": [vector(start + number) for number in range(count)]}).encode()


def infer_json(start: int, count: int) -> bytes:
    """A body of the inference protocol in JSON."""
    data = [value for number in range(count) for value in vector(start + number)]
    tensor = {"name": "applicants", "shape": [count, len(data) // count], "datatype": "FP64", "data": data}
    return json.dumps({"id": NO_ID, "inputs": [tensor]}).encode()


def infer_raw(start: int, count: int) -> tuple[bytes, tuple[str, ...]]:
    """A body of the inference protocol with binary tensors, and the header with the length of its JSON."""
    data = [value for number in range(count) for value in vector(start + number)]
    raw = struct.pack(f"<{len(data)}d", *data)
    tensor = {"name": "applicants", "shape": [count, len(data) // count], "datatype": "FP64"}
    told = tensor | {"parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"id": NO_ID, "inputs": [told], "parameters": {"binary_data_output": True}}).encode()
    return head + raw, (f"Inference-Header-Content-Length: {len(head)}",)


def write(
    case: Case,
    id: str,
    answer: Answer,
    *,
    chunks: Sequence[int] = (),
    version: str = "1.1",
    fields: Sequence[str] = (),
    more: int = 0,
    status: int | None = None,
    how: str = "",
) -> bytes:
    """The bytes of a request.

    `answer`: what the plain application shall answer, if not `status` and `how`. `chunks`: their sizes, in turn,
    instead of Content-Length. `more`: by how many bytes Content-Length is too large.
    """
    body = case.body.replace(NO_ID.encode(), id.encode())
    if case.is_compressed:
        body = gzip.compress(body, mtime=0)
    words = [str(status or answer.status), str(answer.length), "" if case.is_read else "unread", how]
    lines = [f"{case.method} {case.path} HTTP/{version}", "Host: test", f"X-Request-ID: {id}", *case.fields, *fields]
    lines.append(f"X-Answer: {' '.join(words)}")
    lines += [f"X-API-Key: {KEY}"] if case.has_key else []
    lines += ["Content-Encoding: gzip"] if case.is_compressed else []
    if chunks and body:
        lines.append("Transfer-Encoding: chunked")
        body = _write_chunks(body, chunks)
    elif case.method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body) + more}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _write_chunks(body: bytes, sizes: Sequence[int]) -> bytes:
    written, start, number = b"", 0, 0
    while start < len(body):
        chunk = body[start : start + sizes[number % len(sizes)]]
        extension = b";a=1" if number % 3 else b""
        written += b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk)
        start, number = start + len(chunk), number + 1
    return written + (b"0\r\nX-Trailer: 1\r\n\r\n" if number % 2 else b"0\r\n\r\n")
