"""One request and its answer: whether the probabilities in it are those of scikit-learn."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import msgspec

from benchmarks.serve.errors import BenchError
from benchmarks.serve.protocols import Request

PATIENCE_SECONDS = 60.0

TOLERANCE = 1e-6
"""Largest difference from scikit-learn's probability that counts as the right answer."""


def post(port: int, path: str, request: Request) -> bytes:
    """Post a request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", path, request.body, {"Content-Type": request.content_type, **request.headers})
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"{path} answers {response.status}: {answer[:500]!r}")
    return answer


def is_right(answer: bytes, expected: list[float], read: Callable[[bytes], list[float]]) -> bool:
    """Whether an answer holds the expected probabilities."""
    try:
        given = read(answer)
        return len(given) == len(expected) and all(
            abs(one - other) <= TOLERANCE for one, other in zip(given, expected, strict=True)
        )
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return False
