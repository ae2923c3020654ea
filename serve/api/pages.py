"""The pages and their scripts: static files of this package, read once, served by the service itself.

They hold nothing of the model, ask the API for it like any other client, and load nothing from anywhere else.
"""

from __future__ import annotations

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from serve.home import FOLDER, choose_language

POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
"""With every page: whatever gets into it can't load, send or be framed."""

FILES = {
    "page.js": "text/javascript",
    "page.css": "text/css",
    "docs.js": "text/javascript",
    "docs.css": "text/css",
}
"""The files that pages load, under their names."""


async def show_home(request: Request) -> Response:
    """GET /: a page for people, in the language they ask for."""
    language = choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    headers = POLICY | {"content-language": language, "vary": "Accept-Language"}
    return Response(request.app.state.service.runtime.home[language], headers=headers, media_type="text/html")


async def show_docs(request: Request) -> Response:
    """GET /docs: the page that shows /openapi.json."""
    return Response(_read("docs.html"), headers=POLICY, media_type="text/html")


async def show_file(request: Request) -> Response:
    """One of FILES."""
    name = request.url.path.rpartition("/")[2]
    return Response(_read(name), headers=POLICY, media_type=FILES[name])


@cache
def _read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
