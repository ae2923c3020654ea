"""`make audit` fails for a known vulnerability."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

VULNERABILITY = {
    "vulns": [
        {
            "id": "PYSEC-0000-1",
            "modified": "2026-01-01T00:00:00Z",
            "published": "2026-01-01T00:00:00Z",
            "details": "A vulnerability.",
            "affected": [
                {
                    "package": {"name": "starlette", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
                }
            ],
        }
    ]
}


class FakeOsv(BaseHTTPRequestHandler):
    """A fake of the vulnerability database osv.dev: the packages of `vulnerable` have one vulnerability."""

    vulnerable: frozenset[str] = frozenset()
    requested: set[str]

    def do_POST(self) -> None:
        """Answer the vulnerabilities of a package."""
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = query["package"]["name"]
        self.requested.add(name)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(VULNERABILITY if name in self.vulnerable else {}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(params=[frozenset[str](), frozenset({"starlette"})], ids=["clean", "vulnerable"])
def osv(request: pytest.FixtureRequest) -> Iterator[tuple[type[FakeOsv], str]]:
    """The running database with and without a vulnerability, and its URL."""
    handler = type("Handler", (FakeOsv,), {"vulnerable": request.param, "requested": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield handler, f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_known_vulnerability_fails_the_audit(osv: tuple[type[FakeOsv], str], root: Path) -> None:
    """Every package of requirements.txt is looked up; without a vulnerability the audit passes."""
    handler, url = osv
    flags = f"--vulnerability-service osv --osv-url {url} --progress-spinner off"
    # -o: use the environment as it is.
    command = ["make", "-o", ".venv/dev", "audit", f"AUDIT_FLAGS={flags}", "LOCKS=requirements"]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True)

    assert {"starlette", "onnxruntime", "numpy", "uvicorn", "msgspec"} <= handler.requested
    if handler.vulnerable:
        assert done.returncode != 0
        assert "PYSEC-0000-1" in done.stdout
    else:
        assert done.returncode == 0, done.stderr
