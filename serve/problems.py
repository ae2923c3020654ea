"""Every error answer of the service: application/problem+json, never a trace, never a path."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from serve.messages import Fault, Problem

MOST_FAULTS = 100
"""More faults than this are counted, not listed: an answer stays small whatever the body."""


class InvalidApplicants(Exception):
    """A body that can't be scored, with every fault found in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.pointer or 'body'}: {first.detail}{more}")
        self.faults = list(faults[:MOST_FAULTS])


def problem_response(status: int, kind: str, title: str, detail: str, faults: Sequence[Fault] = ()) -> Response:
    """One problem as a response; `kind` is the stable word a client may switch on."""
    problem = Problem(f"urn:problem:{kind}", title, status, detail, detail, list(faults))
    return Response(msgspec.json.encode(problem), status, media_type="application/problem+json")


async def on_invalid_applicants(request: Request, error: Exception) -> Response:
    """400: the body is at fault; says where and what was expected."""
    faults = error.faults if isinstance(error, InvalidApplicants) else []
    return problem_response(400, "invalid-applicants", "The body can't be scored", str(error), faults)


async def on_disconnect(request: Request, error: Exception) -> Response:
    """The client hung up in the middle of its body: nobody is there to read an answer, and nothing of ours failed."""
    return Response(status_code=400)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: unknown path, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    method, path = request.method, request.url.path
    detail = {
        404: f"there is nothing at {path}; GET / lists what there is",
        405: f"{path} doesn't take {method}; GET / lists what there is",
    }.get(error.status_code, error.detail)
    response = problem_response(error.status_code, "http", error.detail, detail)
    response.headers.update(error.headers or {})
    return response


async def on_failure(request: Request, error: Exception) -> Response:
    """500: our own fault; the server logs the trace, the answer says nothing of the inside."""
    return problem_response(
        500, "internal", "Internal error", "the service failed; the body is not at fault, try again later"
    )
