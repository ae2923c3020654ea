"""HTTP clients as people have them, with their own settings, against the service as a real process.

Each gets the probabilities of the model, to the bit, in small and large bodies on one connection.
"""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
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
from playwright._impl._driver import compute_driver_executable

from model.session import Model
from tests.serve.running import SERVE, Service, running

FOLDER = Path(__file__).parent / "clients"

WAIT_SECONDS = 60.0
"""A Java that compiles its program on a busy machine takes less."""

JSON = {"Content-Type": "application/json"}

COUNTS = (1, 40, 2_500, 1)
"""Applicants of the bodies that a client sends one after another; the third has more than 64 KB."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body of POST /score, and the probabilities that belong to it."""

    content: bytes
    expected: list[float]


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`python -m serve`."""
    with running(tmp_path_factory.mktemp("clients"), content, SERVE) as running_one:
        yield running_one


@pytest.fixture
def make_body(model: Model, vector: list[Any]) -> Callable[[int], Body]:
    """Make a body of so many applicants, all different."""

    def make(count: int) -> Body:
        rows = [[vector[0] + 0.25 * number, *vector[1:]] for number in range(count)]
        expected = model.score(np.array(rows, dtype=np.float64)).probability.tolist()
        return Body(json.dumps({"applicants": rows, "reasons": 0}).encode(), expected)

    return make


@pytest.fixture
def bodies(make_body: Callable[[int], Body]) -> list[Body]:
    """What a client sends one after another."""
    made = [make_body(count) for count in COUNTS]
    assert len(made[2].content) > 65_536
    return made


@pytest.fixture
def files(bodies: list[Body], tmp_path: Path) -> list[Path]:
    """The same as files."""
    paths = [tmp_path / f"{number}.json" for number in range(len(bodies))]
    for path, body in zip(paths, bodies, strict=True):
        path.write_bytes(body.content)
    return paths


def probabilities(answer: bytes | str) -> list[float]:
    """Those in an answer of POST /score."""
    return [result["probability"] for result in json.loads(answer)["results"]]


def run(*command: str | Path) -> str:
    """What a command prints; fails with what it says if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_lines(printed: str, bodies: list[Body]) -> None:
    """Each line is a status and an answer, that to its body."""
    lines = [line.split(" ", 1) for line in printed.splitlines()]
    assert [status for status, _ in lines] == ["200"] * len(bodies)
    assert [probabilities(answer) for _, answer in lines] == [body.expected for body in bodies]


def test_java_gets_its_answers(service: Service, bodies: list[Body], files: list[Path]) -> None:
    """The HttpClient of Java 11 and newer offers an upgrade to HTTP/2; bodies with a length and in chunks."""
    printed = run("java", FOLDER / "Client.java", f"{service.base}/score", *files)

    check_lines(printed, bodies)


def test_node_gets_its_answers(service: Service, bodies: list[Body], files: list[Path]) -> None:
    """Its fetch, one after another and all at once; Playwright brings a Node where there is none."""
    node = shutil.which("node") or compute_driver_executable()[0]

    printed = run(node, FOLDER / "client.mjs", f"{service.base}/score", *files)

    check_lines(printed, bodies * 2)


@pytest.fixture
def curl() -> str:
    """curl, with HTTP/2."""
    path = shutil.which("curl")
    assert path, "no curl on this machine; install it: apt-get install curl (.ci/curl does it)"
    features = run(path, "--version").partition("Features:")[2].split()
    assert {"HTTP2", "libz"} <= set(features), f"this curl has only {features}; install Debian's: apt-get install curl"
    return path


@pytest.mark.parametrize("version", ["--http2", "--http1.1", "--http1.0"])
def test_curl_gets_its_answers(
    service: Service, curl: str, version: str, bodies: list[Body], files: list[Path]
) -> None:
    """Whichever version it asks for; all on one connection where there is more than one request on it."""
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
    """Content-Encoding: gzip for the body, --compressed for the answer."""
    body, sent, head = make_body(2_500), tmp_path / "body.gz", tmp_path / "head"
    sent.write_bytes(gzip.compress(body.content))
    coding = ["--header", "Content-Encoding: gzip", "--header", "Content-Type: application/json"]

    answer = run(
        curl, "--silent", "--compressed", *coding, "--data-binary", f"@{sent}", "--dump-header", head,
        f"{service.base}/score",
    )  # fmt: skip

    assert probabilities(answer) == body.expected
    assert "content-encoding: gzip" in head.read_text()


def test_curl_waits_until_it_may_send_a_large_body(
    service: Service, curl: str, make_body: Callable[[int], Body], tmp_path: Path
) -> None:
    """With more than a megabyte it sends Expect: 100-continue, and would wait a second for the word to go on."""
    body, path = make_body(10_000), tmp_path / "large.json"
    path.write_bytes(body.content.ljust(1_200_000))
    order = ["--verbose", "--silent", "--header", "Content-Type: application/json", "--data-binary", f"@{path}"]

    done = subprocess.run(
        [curl, *order, f"{service.base}/score"], capture_output=True, text=True, check=True, timeout=WAIT_SECONDS
    )

    assert probabilities(done.stdout) == body.expected
    assert "< HTTP/1.1 100 Continue" in done.stderr


def test_http_client_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """Python's own, on one connection; head and body are sent apart."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=WAIT_SECONDS)
    found = []
    for body in bodies:
        connection.request("POST", "/score", body.content, JSON)
        found.append(probabilities(connection.getresponse().read()))
    connection.close()

    assert found == [body.expected for body in bodies]


def test_urllib_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """It closes each connection after its answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = []
    for body in bodies:
        asked = urllib.request.Request(f"{service.base}/score", body.content, JSON)  # noqa: S310 - to 127.0.0.1
        with opener.open(asked, timeout=WAIT_SECONDS) as response:
            found.append(probabilities(response.read()))

    assert found == [body.expected for body in bodies]


def test_requests_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """On one connection, with lengths and then from generators, in chunks."""
    found = []
    with requests.Session() as session:
        session.trust_env = False
        for body in bodies:
            for data in (body.content, iter([body.content[:50], body.content[50:]])):
                response = session.post(f"{service.base}/score", data, headers=JSON, timeout=WAIT_SECONDS)
                found.append(probabilities(response.content))

    assert found == [body.expected for body in bodies for _ in range(2)]


def test_httpx_gets_its_answers(service: Service, bodies: list[Body]) -> None:
    """On one connection."""
    with httpx.Client(base_url=service.base, trust_env=False, timeout=WAIT_SECONDS) as client:
        answers = [client.post("/score", content=body.content, headers=JSON) for body in bodies]

    assert [probabilities(answer.content) for answer in answers] == [body.expected for body in bodies]


def test_http_1_0_without_a_host_is_answered(service: Service, bodies: list[Body]) -> None:
    """As probes and old proxies ask: the connection ends after the answer."""
    found = []
    for body in bodies:
        with socket.create_connection(("127.0.0.1", service.port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(b"POST /score HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body.content) + body.content)
            received = b"".join(iter(lambda connection=connection: connection.recv(65_536), b""))  # type: ignore[misc]
        head, _, answer = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        found.append(probabilities(answer))

    assert found == [body.expected for body in bodies]
