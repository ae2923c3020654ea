"""`make audit` fails for a known vulnerability, and for a package of which nothing is known."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FOUND = {
    "vulns": [
        {
            "id": "PYSEC-0000-1",
            "modified": "2026-01-01T00:00:00Z",
            "published": "2026-01-01T00:00:00Z",
            "details": "A hole.",
            "affected": [
                {
                    "package": {"name": "starlette", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
                }
            ],
        }
    ]
}


class Osv(BaseHTTPRequestHandler):
    """The vulnerability database of osv.dev in small: it knows one hole, in the packages of `holes`."""

    holes: frozenset[str] = frozenset()
    asked: set[str]

    def do_POST(self) -> None:
        """Answer what is known of one package."""
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = query["package"]["name"]
        self.asked.add(name)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(FOUND if name in self.holes else {}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[frozenset[str](), frozenset({"starlette"})], ids=["clean", "hole"])
def osv(request: pytest.FixtureRequest) -> Iterator[tuple[type[Osv], str]]:
    """A running database with or without the hole, and its URL."""
    handler = type("Known", (Osv,), {"holes": request.param, "asked": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield handler, f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_known_hole_fails_the_audit(osv: tuple[type[Osv], str], root: Path) -> None:
    """Every package of the deployed service is asked for; without a hole the audit passes."""
    handler, url = osv
    flags = f"--vulnerability-service osv --osv-url {url} --progress-spinner off"
    # -o: the environment that runs this test is the one to audit with, whatever its age.
    command = ["make", "-o", ".venv/dev", "audit", f"AUDIT_FLAGS={flags}", "LOCKS=requirements"]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True)

    assert {"starlette", "onnxruntime", "numpy", "uvicorn", "msgspec"} <= handler.asked
    if handler.holes:
        assert 0 != done.returncode
        assert "PYSEC-0000-1" in done.stdout
    else:
        assert 0 == done.returncode, done.stderr
