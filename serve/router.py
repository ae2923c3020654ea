"""The Starlette application behind the gate: which path is answered by which endpoint, CORS, unknown paths.

Made when the first request needs it (serve/gate.py), and imported then: Starlette takes longer to import than a model
to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serve.endpoint import Endpoint
from serve.problems import Refusal, not_found, wrong_method
from serve.routes import ROUTES
from serve.settings import Settings
from serve.visit import PROBLEM, Visit

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def make_router(endpoints: Mapping[str, Endpoint], settings: Settings) -> ASGIApp:
    """The application that routes to these endpoints, by path."""
    app = Starlette(
        routes=[Route(path, endpoints[path], methods=[method]) for path, method, _ in ROUTES],
        exception_handlers={HTTPException: _on_http_error},
        middleware=_cors(settings),
    )
    # A redirect would go to whatever the request calls its host.
    app.router.redirect_slashes = False
    return app


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    from starlette.middleware.cors import CORSMiddleware

    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
            expose_headers=["x-request-id"],
        )
    ]


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: unknown path, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    visit: Visit = request.scope["visit"]
    method, path = request.method, request.url.path
    refusal: Refusal = not_found(path)
    if error.status_code == 405:
        refusal = wrong_method(method, path, (error.headers or {}).get("Allow", "another"))
    headers = {name.decode(): value.decode() for name, value in refusal.headers}
    return Response(refusal.body(visit.request_id.decode()), refusal.status, headers, media_type=PROBLEM.decode())
