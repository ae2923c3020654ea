"""Sends problem documents: for exceptions of handlers, for refusals of the middleware, for 404 and 405 of Starlette."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve.schemas.problems import PROBLEM_TYPE, HTTPProblem, not_found, wrong_method


async def send_problem(scope: Scope, receive: Receive, send: Send, problem: HTTPProblem) -> None:
    """Answer a request with a problem document."""
    await discard_body(scope, receive)
    await _respond(scope, problem)(scope, receive, send)


async def handle_problem(request: Request, error: Exception) -> Response:
    """Exception handler for HTTPProblem and for Starlette's HTTPException (unknown path, wrong method)."""
    problem = error if isinstance(error, HTTPProblem) else _translate(request, error)
    # The frames of the traceback keep the body in memory while the response is sent.
    error.__traceback__ = None
    await discard_body(request.scope, request.receive)
    return _respond(request.scope, problem)


async def discard_body(scope: Scope, receive: Receive) -> None:
    """Read and drop the part of an unread body that has arrived, which the server would keep with the connection."""
    names = {name for name, _ in scope["headers"]}
    if b"expect" in names or not names & {b"content-length", b"transfer-encoding"}:
        return
    # The server itself drops what arrives later.
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
    """The methods of a path, sorted: Starlette's order differs between processes."""
    return ", ".join(sorted((error.headers or {}).get("Allow", "another").split(", ")))
