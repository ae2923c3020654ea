"""One request and its reply, as the functions that answer see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from serve.model import Matrix, Scores
from serve.served import Served

JSON = b"application/json"

HEADER_LENGTH = b"inference-header-content-length"
"""The header of a body that holds raw tensors after so many bytes of JSON."""

Header = tuple[bytes, bytes]


class Ask(Struct, frozen=True):
    """A request whose body is complete. `is_on_loop`: whatever takes longer than a few rows raises Heavy there."""

    served: Served
    body: bytes | bytearray
    headers: Sequence[Header]
    parameters: dict[str, Any]
    query: bytes = b""
    is_on_loop: bool = True

    def header(self, name: bytes) -> bytes:
        """The value of a header, named in lower case; empty if it wasn't sent."""
        return next((value for known, value in self.headers if known == name), b"")


class Reply(Struct, frozen=True):
    """What to send. `applicants`: how many were scored."""

    body: bytes
    content_type: bytes = JSON
    status: int = 200
    headers: Sequence[Header] = ()
    applicants: int = 0


class Work(Struct, frozen=True):
    """Applicants to score, and how their scores become the reply.

    `rows`: one value a field, None or NaN = missing. `weight`: in the time that a row takes without reasons, some 2 µs.
    `finish` gets the rows, float64, shape (n, n_fields), and their scores, good until it returns.
    """

    rows: Sequence[Sequence[float | None]] | Matrix
    explain: bool
    weight: int
    finish: Callable[[Matrix, Scores], Reply]


class Heavy(Exception):
    """Too much work for the event loop: to be asked again in a worker thread."""


Answer = Callable[[Ask], "Reply | Work"]
