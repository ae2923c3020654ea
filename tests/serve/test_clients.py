"""Common HTTP clients with their default settings, against the service as a real process.

Each client gets exactly the model's probabilities, for small and large bodies on one connection.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import requests

from model.session import Model
from tests.serve.running import SERVE, Service, running
from tests.tools import require

FOLDER = Path(__file__).parent / "clients"

WAIT_SECONDS = 60.0
"""Timeout, generous for Java, which compiles its program first."""

JSON = {"Content-Type": "application/json"}

COUNTS = (1, 40, 2_500, 1)
"""Numbers of applicants of the bodies; the third body has more than 64 KB."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body of POST /score, and the expected probabilities."""

    content: bytes
    expected: list[float]


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`python -m serve`."""
    with running(tmp_path_factory.mktemp("clients"), content, SERVE) as running_one:
        yield running_one


@pytest.fixture
def make_body(model: Model, vector: list[Any]) -> Callable[[int], Body]:
    """A body of this many different applicants."""

    def make(count: int) -> Body:
        rows = [[vector[0] + 0.25 * number, *vector[1:]] for number in range(count)]
        expected = model.score(np.array(rows, dtype=np.float64)).probability.tolist()
        return Body(json.dumps({"applicants": rows, "reasons": 0}).encode(), expected)

    return make


@pytest.fixture
def bodies(make_body: Callable[[int], Body]) -> list[Body]:
    """The bodies that each client sends."""
    made = [make_body(count) for count in COUNTS]
    assert len(made[2].content) > 65_536
    return made


@pytest.fixture
def files(bodies: list[Body], tmp_path: Path) -> list[Path]:
    """The same bodies as files."""
    paths = [tmp_path / f"{number}.json" for number in range(len(bodies))]
    for path, body in zip(paths, bodies, strict=True):
        path.write_bytes(body.content)
    return paths


def probabilities(answer: bytes | str) -> list[float]:
    """The probabilities in an answer of POST /score."""
    return [result["probability"] for result in json.loads(answer)["results"]]


def run(*command: str | Path) -> str:
    """The output of a command; fails with its error output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_lines(printed: str, bodies: list[Body]) -> None:
    """Each printed line is a status and the answer to its body."""
    lines = [line.split(" ", 1) for line in printed.splitlines()]
    assert [status for status, _ in lines] == ["200"] * len(bodies)
    assert [probabilities(answer) for _, answer in lines] == [body.expected for body in bodies]


def test_java_gets_its_answers(service: Service, bodies: list[Body], files: list[Path]) -> None:
    """Java's HttpClient, which offers an upgrade to HTTP/2; bodies with Content-Length and chunked."""
    printed = run(require("java"), FOLDER / "Client.java", f"{service.base}/score", *files)

    check_lines(printed, bodies)


def test_node_gets_its_answers(service: Service, bodies: list[Body], files: list[Path]) -> None:
    """Node's fetch, in sequence and in parallel."""
    printed = run(require("node"), FOLDER / "client.mjs", f"{service.base}/score", *files)

    check_lines(printed, bodies * 2)


@pytest.fixture
def curl() -> str:
    """curl, with HTTP/2."""
    return require("curl")


@pytest.mark.parametrize("version", ["--http2", "--http1.1", "--http1.0"])
def test_curl_gets_its_answers(
    service: Service, curl: str, version: str, bodies: list[Body], files: list[Path]
) -> None:
    """With every version of HTTP, and keep-alive where the version has it."""
    orders: list[str | Path] = []
    for file in files:
        one = [version, "--silent", "--data-binary", f"@{file}", "--header", "Content-Type: application/json"]
        written = ["--write-out", "\n%{http_code} %{num_connects}\n", f"{service.base}/score"]
        orders += [*(["--next"] if orders else []), *one, *written]

    lines = run(curl, *orders).splitlines()

    assert [probabilities(answer) for answer in lines[::2]] == [body.expected for body in bodies]
    is_kept = version != "--http1.0"
    assert lines[1::2] == ["200 1"] + ["200 0" if is_kept else "200 1"] * (len(bodies) - 1)


def test_curl_sends_and_gets_compressed_bodies(
    service: Service, curl: str, make_body: Callable[[int], Body], tmp_path: Path
) -> None:
    """Content-Encoding: gzip in the request, --compressed for the answer."""
    body, sent, head = make_body(2_500), tmp_path / "body.gz", tmp_path / "head"
    sent.write_bytes(gzip.compress(body.content))
    coding = ["--header", "Content-Encoding: gzip", "--header", "Content-Type: application/json"]

    answer = run(
        curl, "--silent", "--compressed", *coding, "--data-binary", f"@{sent}", "--dump-header", head,
        f"{service.base}/score",
    )  # fmt: skip

    assert probabilities(answer) == body.expected
    assert "content-encoding: gzip" in head.read_text()


def test_curl_gets_100_continue(service: Service, curl: str, make_body: Callable[[int], Body], tmp_path: Path) -> None:
    """For bodies over 1 MB curl sends Expect: 100-continue and would wait a second for the response."""
    body, path = make_body(10_000), tmp_path / "large.json"
    path.write_bytes(body.content.ljust(1_200_000))
    order = ["--verbose", "--silent", "--header", "Content-Type: application/json", "--data-binary", f"@{path}"]

    done = subprocess.run(
        [curl, *order, f"{service.base}/score"], capture_output=True, text=True, check=True, timeout=WAIT_SECONDS
    )

    assert probabilities(done.stdout) == body.expected
    assert "< HTTP/1.1 100 Continue" in done.stderr


def test_http_client_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """Python's http.client, on one connection; it sends headers and body separately."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_SECONDS)
    found = []
    for body in bodies:
        connection.request("POST", "/score", body.content, JSON)
        found.append(probabilities(connection.getresponse().read()))
    connection.close()

    assert found == [body.expected for body in bodies]


def test_urllib_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """urllib closes the connection after each answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = []
    for body in bodies:
        request = urllib.request.Request(f"{service.base}/score", body.content, JSON)  # noqa: S310 - to 127.0.0.1
        with opener.open(request, timeout=WAIT_SECONDS) as response:
            found.append(probabilities(response.read()))

    assert found == [body.expected for body in bodies]


def test_requests_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """requests, on one connection, with Content-Length and chunked."""
    found = []
    with requests.Session() as session:
        session.trust_env = False
        for body in bodies:
            for data in (body.content, iter([body.content[:50], body.content[50:]])):
                response = session.post(f"{service.base}/score", data, headers=JSON, timeout=WAIT_SECONDS)
                found.append(probabilities(response.content))

    assert found == [body.expected for body in bodies for _ in range(2)]


def test_httpx_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """httpx, on one connection."""
    with httpx.Client(base_url=service.base, trust_env=False, timeout=WAIT_SECONDS) as client:
        answers = [client.post("/score", content=body.content, headers=JSON) for body in bodies]

    assert [probabilities(answer.content) for answer in answers] == [body.expected for body in bodies]


def test_http_1_0_without_a_host_is_answered(service: Service, bodies: list[Body]) -> None:
    """As health probes and old proxies send it; the connection is closed after the answer."""
    found = []
    for body in bodies:
        with socket.create_connection(("127.0.0.1", service.port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(b"POST /score HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body.content) + body.content)
            received = b"".join(iter(lambda connection=connection: connection.recv(65_536), b""))  # type: ignore[misc]
        head, _, answer = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        found.append(probabilities(answer))

    assert found == [body.expected for body in bodies]
