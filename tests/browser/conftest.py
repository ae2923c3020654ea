"""Chromium for all browser tests, an axe-core check, and a proxy that makes the service unavailable on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from deploy.browser import open_browser
from deploy.errors import DeployError
from tests.tools import require_playwright, skip_without

POLL_SECONDS = 0.01
"""How soon the proxy notices that it should stop; the default is 0.5."""


class Proxy(ThreadingHTTPServer):
    """Forwards every request to a service; `state` "locked" answers 401, "cut" closes the connection."""

    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.state: Literal["open", "locked", "cut"] = "open"
        self.service = httpx.Client(base_url=service, trust_env=False)

    @property
    def address(self) -> str:
        """The base URL of the proxy."""
        return f"http://127.0.0.1:{self.server_port}"


class ProxyHandler(BaseHTTPRequestHandler):
    """One connection to the proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def do_GET(self) -> None:
        """Answer according to the proxy's state."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.state == "cut":
            self.close_connection = True
            return
        if self.server.state == "locked":
            status, content = 401, b'{"detail": "this key is not known here"}'
        else:
            names = ("Content-Type", "Content-Encoding")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            response = self.server.service.request(self.command, self.path, content=body, headers=headers)
            status, content = response.status_code, response.content
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Answer like a GET; the body is forwarded too."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """No log on stderr."""


@pytest.fixture(scope="module")
def proxy(service: str) -> Iterator[Proxy]:
    """A proxy in front of the service."""
    with Proxy(service) as server, server.service:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Headless Chromium for the tests of this folder; where there is none they are skipped, or fail if CI=true.

    Playwright keeps an event loop running in this thread while the browser is open. The browser is closed after the
    last test of the folder, so that tests elsewhere can run event loops of their own.
    """
    require_playwright()
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open_browser())
        except DeployError:
            skip_without("Chromium")
        yield opened


@pytest.fixture(scope="session")
def find_violations() -> Callable[[Page], list[str]]:
    """Find serious and critical axe-core violations on a page: rule and first element of each."""

    def find(page: Page) -> list[str]:
        violations = Axe().run(page).response["violations"]
        return [
            f"{one['id']}: {one['nodes'][0]['html']}" for one in violations if one["impact"] in ("serious", "critical")
        ]

    return find
