"""One Chromium, a way to look for faults of accessibility, and a gateway that can be locked or cut.

Playwright's event loop runs in the thread of the tests for as long as its browser is open: the fixture ends with its
module, so that other tests of the same process can have loops of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from deploy.local import open_browser

SERIOUS = ("serious", "critical")


class Gateway(ThreadingHTTPServer):
    """Hands every request to a service; locked, it refuses every key; cut, it hangs up without an answer."""

    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.state: Literal["open", "locked", "cut"] = "open"
        self.service = httpx.Client(base_url=service, trust_env=False)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Passage(BaseHTTPRequestHandler):
    """One connection through a gateway."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Gateway

    def do_GET(self) -> None:
        """Pass a request on."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.state == "cut":
            self.close_connection = True
            return
        if self.server.state == "locked":
            status, content = 401, b'{"detail": "this key is not known here"}'
        else:
            answer = self.server.service.request(self.command, self.path, content=body)
            status, content = answer.status_code, answer.content
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """The same with a body."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def gateway(service: str) -> Iterator[Gateway]:
    """A gateway to the service."""
    with Gateway(service) as server, server.service:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with open_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def find_faults() -> Callable[[Page], list[str]]:
    """What axe-core calls serious or critical on a page: rule and first element."""

    def find(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found if fault["impact"] in SERIOUS]

    return find
