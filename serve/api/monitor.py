"""GET /v1/monitor: what was decided lately and how far the applicants have moved, as JSON or as the page's content.

Imported only where decisions are recorded. serve/app.py answers 503 where they can't be read now.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from decisions.store import Store
from monitor.pages.page import render_page
from serve.api.endpoint import JSON_TYPE
from serve.api.pages import SECURITY_HEADERS
from serve.schemas.problems import no_record
from serve.state import AppState

HTML_TYPE = "text/html"


async def show_monitor(request: Request) -> Response:
    """GET /v1/monitor: the summary of the decisions on record, as HTML if the client asks for it."""
    state: AppState = request.app.state.service
    monitoring = state.monitoring
    if monitoring is None:
        raise no_record()
    is_page = HTML_TYPE in request.headers.get("accept", "")

    def read(store: Store) -> str | bytes:
        monitor = monitoring.read(store)
        return render_page(monitor) if is_page else msgspec.json.encode(monitor)

    content = await state.read_decisions(read)
    return Response(
        content, headers=SECURITY_HEADERS | {"vary": "Accept"}, media_type=HTML_TYPE if is_page else JSON_TYPE
    )
