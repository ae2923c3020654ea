"""Post a request, and check that the response has scikit-learn's probabilities."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import msgspec

from benchmarks.serve.errors import BenchError
from benchmarks.serve.protocols import Request

TIMEOUT_SECONDS = 60.0

TOLERANCE = 1e-6
"""Largest allowed difference from scikit-learn's probability."""


def post(port: int, path: str, request: Request) -> bytes:
    """Post a request on a new connection and return the body of the response; raises BenchError unless it is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, request.body, {"Content-Type": request.content_type, **request.headers})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"POST {path} answered {response.status}, expected 200: {body[:500]!r}")
    return body


def is_correct(body: bytes, expected: list[float], read: Callable[[bytes], list[float]]) -> bool:
    """Whether a response body holds the expected probabilities."""
    try:
        actual = read(body)
        return len(actual) == len(expected) and all(
            abs(one - other) <= TOLERANCE for one, other in zip(actual, expected, strict=True)
        )
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return False
