"""Every error response of the service as application/problem+json (RFC 9457), without traces or server paths."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from serve.schemas.responses import Fault, Problem

PROBLEM_TYPE = "application/problem+json"

MAX_FAULTS = 100
"""Maximum number of faults in one response; the search for more ends there, so that response and time stay bounded."""


class HTTPProblem(Exception):
    """A request that is answered with a problem document: its status, and the headers that the status needs."""

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
        """The problem document as JSON, with the request id by which the request is found in the log."""
        return msgspec.json.encode(msgspec.structs.replace(self.problem, request_id=request_id))


class InvalidApplicants(HTTPProblem):
    """400: a body that can't be scored, with the faults found in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        detail = _summarize(faults)
        super().__init__(400, "invalid-applicants", "The body can't be scored", detail, faults[:MAX_FAULTS])
        self.faults = list(faults)


class InvalidRequest(HTTPProblem):
    """400: a request about recorded decisions, with the faults found in its body, or under /query in its parameters."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(400, "invalid-request", "The request is invalid", _summarize(faults), faults[:MAX_FAULTS])
        self.faults = list(faults)


def _summarize(faults: Sequence[Fault]) -> str:
    """The first fault, and how many more there are."""
    first = faults[0]
    at_least = "at least " if len(faults) > MAX_FAULTS else ""
    more = f" (and {at_least}{len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{first.pointer or 'body'}: {first.detail}{more}"


CLOSE = (b"connection", b"close")
"""Sent where the server can't tell where the next request begins: a body was cut off, late, or of ambiguous length."""

RETRY = [(b"retry-after", b"1")]


def too_large(what: str, given: str, maximum: str) -> HTTPProblem:
    """413: more bytes or rows than one request may hold."""
    detail = f"{what}: got {given}, expected at most {maximum}; send several smaller bodies"
    return HTTPProblem(413, "too-large", "The body is too large", detail)


def too_slow(seconds: int) -> HTTPProblem:
    """408: the body did not arrive in time."""
    detail = f"the body did not arrive within {seconds} s; send it without pauses"
    return HTTPProblem(408, "too-slow", "The body took too long", detail, headers=[CLOSE])


def body_cut_off(length: int, given: int) -> HTTPProblem:
    """400: the body ended before its announced `length`, or before its last chunk (length −1)."""
    announced = f"Content-Length is {length:,}" if length >= 0 else "Transfer-Encoding is chunked"
    detail = f"{announced}, but the body ended after {given:,} bytes; send it whole, as plain HTTP/1.1"
    return HTTPProblem(400, "body-cut-off", "The body is not whole", detail, headers=[CLOSE])


def ambiguous_length() -> HTTPProblem:
    """400: both Content-Length and Transfer-Encoding, as in request smuggling (RFC 9112, 6.3)."""
    detail = "the request has Content-Length and Transfer-Encoding, expected one of them"
    return HTTPProblem(400, "ambiguous-length", "The length of the body is ambiguous", detail, headers=[CLOSE])


def unknown_encoding(encoding: str) -> HTTPProblem:
    """415: an unsupported Content-Encoding; the response names the supported ones (RFC 9110, 12.5.3)."""
    detail = f"Content-Encoding is {encoding[:100]!r}, expected gzip, deflate or none"
    return HTTPProblem(
        415, "unknown-encoding", "The encoding is unknown", detail, headers=[(b"accept-encoding", b"gzip, deflate")]
    )


def too_busy(detail: str) -> HTTPProblem:
    """503: load shedding, so that the requests in progress are answered in time."""
    return HTTPProblem(503, "too-busy", "Too many requests", f"{detail}; try again in a second", headers=RETRY)


def not_recorded() -> HTTPProblem:
    """503: the database of decisions can't be used; why it can't goes to the log only."""
    detail = "decisions can't be recorded or read now, so that none is answered; try again in a second"
    return HTTPProblem(503, "not-recorded", "No record of decisions", detail, headers=RETRY)


def unauthorized() -> HTTPProblem:
    """401: no API key, or an unknown one."""
    return HTTPProblem(
        401,
        "no-key",
        "A key is needed",
        "no valid API key; send one as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        headers=[(b"www-authenticate", b'Bearer realm="credit"')],
    )


def forbidden(detail: str) -> HTTPProblem:
    """403: a valid key without the right to do this."""
    return HTTPProblem(403, "forbidden", "Not allowed", detail)


def not_found(path: str) -> HTTPProblem:
    """404: an unknown path."""
    return HTTPProblem(404, "not-found", "Not found", f"no such path: {path[:100]}; see /openapi.json")


def no_model(requested: str, known: str) -> HTTPProblem:
    """404: another model or version than the one in service."""
    return HTTPProblem(404, "not-found", "Not found", f"no model {requested}; the one in service is {known}")


def no_record() -> HTTPProblem:
    """404: this service records no decisions."""
    return HTTPProblem(404, "not-found", "Not found", "decisions aren't recorded here; DECISIONS_URL says where to")


def no_decision(decision_id: str) -> HTTPProblem:
    """404: no recorded decision has this id."""
    detail = f"no decision {decision_id[:100]!r} is on record, expected an id such as X-Decision-Id names"
    return HTTPProblem(404, "not-found", "Not found", detail)


def erased(detail: str) -> HTTPProblem:
    """409: the data of a decision has been erased."""
    return HTTPProblem(409, "erased", "The data was erased", detail)


def not_replayable(detail: str) -> HTTPProblem:
    """500: a recorded decision can't be answered again, since its model file is missing or isn't what it was."""
    return HTTPProblem(500, "not-replayable", "The decision can't be replayed", detail)


def wrong_method(method: str, path: str, allowed: str) -> HTTPProblem:
    """405: the path exists, but not for this method."""
    return HTTPProblem(
        405,
        "wrong-method",
        "Method not allowed",
        f"{path[:100]} doesn't take {method[:20]}, expected {allowed}",
        headers=[(b"allow", allowed.encode())],
    )


def internal_error() -> HTTPProblem:
    """500: an unexpected exception; its trace goes to the log only."""
    detail = "internal error, not caused by the request; see the log under this request id"
    return HTTPProblem(500, "internal", "Internal error", detail)
