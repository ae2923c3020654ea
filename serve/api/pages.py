"""The HTML pages GET /, GET /docs and GET /monitor, with their scripts and style sheets: static files.

The pages get the model from the API, as any other client does, and load nothing from other hosts.
"""

from __future__ import annotations

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from serve.home import STATIC_FOLDER, choose_language

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
"""Sent with every page: injected content can neither load nor send anything, and no other site can frame the page."""

FILES = {
    "page.js": "text/javascript",
    "page.css": "text/css",
    "docs.js": "text/javascript",
    "docs.css": "text/css",
    "monitor.js": "text/javascript",
    "monitor.css": "text/css",
    "style.css": "text/css",
}
"""Scripts and style sheets: file name → media type. Each is served under its name."""

FOLDERS = {"style.css": STATIC_FOLDER.parents[1] / "monitor" / "pages"}
"""Folders of the files that aren't in STATIC_FOLDER."""


async def show_home(request: Request) -> Response:
    """GET /: the home page, in the language of the request."""
    language = choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    headers = SECURITY_HEADERS | {"content-language": language, "vary": "Accept-Language"}
    return Response(request.app.state.service.runtime.home[language], headers=headers, media_type="text/html")


async def show_docs(request: Request) -> Response:
    """GET /docs: API documentation made from /openapi.json."""
    return Response(_read("docs.html"), headers=SECURITY_HEADERS, media_type="text/html")


async def show_monitor(request: Request) -> Response:
    """GET /monitor: a page without data, which asks for a key and shows GET /v1/monitor."""
    return Response(_read("monitor.html"), headers=SECURITY_HEADERS, media_type="text/html")


async def show_file(request: Request) -> Response:
    """GET /page.js and the other FILES."""
    name = request.url.path.rpartition("/")[2]
    return Response(_read(name), headers=SECURITY_HEADERS, media_type=FILES[name])


@cache
def _read(name: str) -> bytes:
    return (FOLDERS.get(name, STATIC_FOLDER) / name).read_bytes()
