"""Every error answer of the service: application/problem+json, never a trace, never a path of the machine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from serve.messages import Fault, Problem

MOST_FAULTS = 100
"""More faults than this are not listed, and looking for them ends: an answer stays small whatever the body."""


class Refusal(Exception):
    """A request that is not answered as asked: a problem with its status, and headers where HTTP wants some."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = list(headers)
        self.problem = Problem(f"urn:problem:{kind}", title, status, detail, detail, list(faults))

    def body(self, request_id: str) -> bytes:
        """The answer, which names the request so that people can ask about it."""
        return msgspec.json.encode(msgspec.structs.replace(self.problem, request_id=request_id))


class InvalidApplicants(Refusal):
    """400: a body that can't be scored, with the faults found in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        at_least = "at least " if len(faults) > MOST_FAULTS else ""
        more = f" (and {at_least}{len(faults) - 1} more)" if len(faults) > 1 else ""
        detail = f"{first.pointer or 'body'}: {first.detail}{more}"
        super().__init__(400, "invalid-applicants", "The body can't be scored", detail, faults[:MOST_FAULTS])
        self.faults = self.problem.errors


CLOSE = [(b"connection", b"close")]
"""What goes with an answer that is given before the whole body was read."""

RETRY = [(b"retry-after", b"1")]


def too_large(what: str, given: str, most: str) -> Refusal:
    """413: more bytes or rows than one request may hold. What still comes of them is thrown away as it comes."""
    detail = f"{what}: got {given}, expected at most {most}; send several smaller bodies"
    return Refusal(413, "too-large", "The body is too large", detail)


def too_slow(seconds: int) -> Refusal:
    """408: the body did not arrive in time."""
    detail = f"the body did not arrive within {seconds} s; send it at once"
    return Refusal(408, "too-slow", "The body took too long", detail, headers=CLOSE)


def head_too_large(most: int) -> Refusal:
    """431: a request line or headers beyond all measure."""
    detail = f"the request line and its headers are too large, expected at most {most:,} bytes; send data in the body"
    return Refusal(431, "head-too-large", "The headers are too large", detail, headers=CLOSE)


def head_too_slow() -> Refusal:
    """408: a head that doesn't end."""
    detail = "the request line and its headers did not arrive in time; send them at once"
    return Refusal(408, "too-slow", "The request took too long", detail, headers=CLOSE)


def no_http() -> Refusal:
    """400: bytes that are no request."""
    detail = "this is no HTTP/1.1 request; check the request line, the headers and their lengths"
    return Refusal(400, "no-http", "Not an HTTP request", detail, headers=CLOSE)


def too_busy(detail: str = "more requests wait than can be answered in time; try again in a second") -> Refusal:
    """503: shed, so that those who are served are served in time."""
    return Refusal(503, "too-busy", "Too many requests wait", detail, headers=RETRY)


def no_key() -> Refusal:
    """401: this service answers those who hold a key."""
    return Refusal(
        401,
        "no-key",
        "A key is needed",
        "no valid API key; send one as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        headers=[(b"www-authenticate", b'Bearer realm="credit"')],
    )


def not_found(path: str) -> Refusal:
    """404: nothing there."""
    return Refusal(404, "not-found", "Not found", f"there is nothing at {path[:100]}; GET / lists what there is")


def wrong_method(method: str, path: str, allowed: str) -> Refusal:
    """405: another method is needed."""
    return Refusal(
        405,
        "wrong-method",
        "Method not allowed",
        f"{path[:100]} doesn't take {method[:20]}, expected {allowed}",
        headers=[(b"allow", allowed.encode())],
    )


def our_failure() -> Refusal:
    """500: the server logs the trace, the answer says nothing of the inside."""
    detail = "the service failed; the body is not at fault, try again later"
    return Refusal(500, "internal", "Internal error", detail)
