"""Problem documents as answers: to what handlers raise, and to what Starlette or our middleware refuses."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve.schemas.problems import PROBLEM_TYPE, HTTPProblem, not_found, wrong_method


async def send_problem(scope: Scope, receive: Receive, send: Send, problem: HTTPProblem) -> None:
    """Answer a request with a problem."""
    await discard_body(scope, receive)
    await _respond(scope, problem)(scope, receive, send)


async def on_problem(request: Request, error: Exception) -> Response:
    """Starlette's exception handler for HTTPProblem, and for its own HTTPException: unknown path, wrong method."""
    problem = error if isinstance(error, HTTPProblem) else _translate(request, error)
    # Its frames hold what was read of the body, and the answer may take a while.
    error.__traceback__ = None
    await discard_body(request.scope, request.receive)
    return _respond(request.scope, problem)


async def discard_body(scope: Scope, receive: Receive) -> None:
    """Let the server forget what it holds of a body that nobody will read, rather than keep it with the connection."""
    names = {name for name, _ in scope["headers"]}
    if b"expect" in names or not names & {b"content-length", b"transfer-encoding"}:
        return
    # What hasn't arrived yet is not waited for: the server throws it away after the answer.
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await receive()


def _respond(scope: Scope, problem: HTTPProblem) -> Response:
    body = problem.body(scope["state"]["context"].request_id.decode())
    response = Response(body, problem.status, media_type=PROBLEM_TYPE)
    response.raw_headers += problem.headers
    return response


def _translate(request: Request, error: Exception) -> HTTPProblem:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        return wrong_method(request.method, request.url.path, _allowed(error))
    return not_found(request.url.path)


def _allowed(error: HTTPException) -> str:
    """The methods of a path; Starlette names them in the order of a set, another in each process."""
    return ", ".join(sorted((error.headers or {}).get("Allow", "another").split(", ")))
