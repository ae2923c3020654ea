"""A service that records its decisions, for tests: a real one, with a record in memory in front of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

POLL_SECONDS = 0.01
"""How soon the service notices that it should stop; the default is 0.5."""


class RecordingService(ThreadingHTTPServer):
    """`state`: "off" records nothing, "forbidden" lets nobody read the record, "lost" has no database.

    `is_shared`: after each look at a case something happens to it. `cases`: what GET /v1/decisions/{id} answers, oldest
    first; tests may change them. `searches`: queries of the list.
    """

    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state: Literal["on", "off", "forbidden", "lost"] = "on"
        self.is_shared = False
        self.cases: list[dict[str, Any]] = []
        self.searches: list[dict[str, list[str]]] = []
        self.service = httpx.Client(base_url=service, trust_env=False)

    @property
    def address(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server_port}"

    def record(self, applicant: dict[str, Any], result: dict[str, Any], model: dict[str, Any]) -> str:
        """Put a decision on record; returns its id."""
        number = len(self.cases) + 1
        id_ = str(UUID(int=number))
        summary = {
            "id": id_,
            "time": f"2026-03-{min(number, 28):02d}T12:00:00.000000Z",
            "applicant": applicant.get("id"),
            **{f"model_{name}": model[name] for name in ("name", "version", "sha256")},
            **{name: result[name] for name in ("probability", "decision", "points")},
            "final_decision": None,
            "is_erased": False,
        }
        inputs = {name: value for name, value in applicant.items() if name != "id"}
        case = {"decision": summary, "key": "officer", "inputs": inputs, "result": result, "is_identical": True}
        self.cases.append({**case, "model": model, "history": []})
        return id_


@contextmanager
def record_decisions(service: str) -> Iterator[RecordingService]:
    """Run such a service in front of a real one."""
    with RecordingService(service) as server, server.service:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: RecordingService

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        if url.path.startswith("/v1/"):
            status, content = self._read_record(url.path, parse_qs(url.query), body)
        else:
            status, content = self._forward(url.path, body)
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def do_POST(self) -> None:
        self.do_GET()

    def _forward(self, path: str, body: bytes) -> tuple[int, Any]:
        server = self.server
        if path == "/score" and server.state == "lost":
            return 503, {"type": "urn:problem:not-recorded", "detail": "the database doesn't respond"}
        headers = {name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if name in self.headers}
        response = server.service.request(self.command, self.path, content=body, headers=headers)
        content = response.json()
        if path == "/score" and server.state != "off" and response.is_success:
            model = server.service.get("/model").json()
            for applicant, result in zip(json.loads(body)["applicants"], content["results"], strict=True):
                result["decision_id"] = server.record(applicant, result, model)
        return response.status_code, content

    def _read_record(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        server = self.server
        if server.state == "off":
            return 404, {"detail": "decisions aren't recorded here"}
        if server.state == "forbidden":
            return 403, {"detail": "this key has no right to"}
        if path == "/v1/decisions":
            return 200, self._list(query)
        case = next((case for case in server.cases if case["decision"]["id"] == path.split("/")[3]), None)
        if case is None:
            return 404, {"detail": "no such decision"}
        if path.endswith("/review"):
            event = {"id": str(UUID(int=99)), "time": "2026-04-01T12:00:00Z", "kind": "review", **json.loads(body)}
            case["history"].append(event)
            case["decision"]["final_decision"] = event["decision"]
            return 201, event
        seen = {**case, "history": list(case["history"])}
        if server.is_shared:
            case["history"].append({"id": str(UUID(int=98)), "time": "2026-04-01T12:00:00Z", "kind": "outcome"})
        return 200, seen

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        if query["limit"] != ["1"]:
            self.server.searches.append(query)
        found = [case["decision"] for case in reversed(self.server.cases)]
        if "open" in query:
            found = [one for one in found if (one["final_decision"] or one["decision"]) == "review"]
        if "applicant" in query:
            found = [one for one in found if one["applicant"] == query["applicant"][0]]
        start, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        end = start + limit
        return {"decisions": found[start:end], "next": str(end) if end < len(found) else None}

    def log_message(self, *_: object) -> None:
        """No log on stderr."""
