"""docs/api.md tells the truth: its examples are answered, its paths are those of the service."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from model.loading import load_model
from model.policy import DECISIONS
from serve.api.pages import FILES
from serve.api.routes import ENDPOINTS
from serve.app import make_app
from serve.schemas.problems import (
    HTTPProblem,
    InvalidApplicants,
    body_cut_off,
    internal_error,
    no_model,
    not_found,
    too_busy,
    too_large,
    too_slow,
    unauthorized,
    unknown_encoding,
    wrong_method,
)
from serve.schemas.responses import Fault

PROBLEMS: list[HTTPProblem] = [
    InvalidApplicants([Fault("", "what is wrong")]),
    body_cut_off(2, 1),
    unauthorized(),
    no_model("a", "b"),
    not_found("/"),
    internal_error(),
    too_busy("all are"),
    too_large("a", "2", "1"),
    too_slow(1),
    unknown_encoding("br"),
    wrong_method("GET", "/", "POST"),
]


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    """The text of the document."""
    return (root / "docs" / "api.md").read_text()


def ask(root: Path, method: str, path: str, body: str | None = None) -> httpx.Response:
    """The answer of the service around the artifact in the checkout."""
    app = make_app(load_model(root / "artifacts" / "model.onnx"))

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(answer())


def test_every_posted_example_is_answered(text: str, root: Path) -> None:
    """Copied into a shell each of them gives a decision or a probability, and all of them the same one."""
    examples = re.findall(r"curl http://127\.0\.0\.1:8000(/\S+) -d '(.*?)'", text, re.DOTALL)
    answers = [(path, ask(root, "POST", path, body).raise_for_status().json()) for path, body in examples]
    probabilities = [
        answer["results"][0]["probability"]
        if path == "/score"
        else answer["outputs"][0]["data"][0]
        if path.endswith("/infer")
        else answer[0]
        for path, answer in answers
    ]

    assert [path for path, _ in answers] == ["/score", "/score", "/predict", "/v2/models/credit_data/infer"]
    assert probabilities == [pytest.approx(probabilities[0], abs=1e-12)] * 4
    assert answers[0][1]["results"][0]["decision"] in DECISIONS


@pytest.mark.parametrize(("name", "commands"), [("docs/api.md", 8), ("README.md", 1)])
def test_every_command_works_in_a_shell(
    name: str, commands: int, root: Path, tmp_path: Path, service: str, text: str
) -> None:
    """As it is printed, against the running service; applicants.csv has the columns that the document tells of."""
    body = re.search(r"/score -d '(.*?)'", text, re.DOTALL)
    assert body
    named = json.loads(body[1])["applicants"][0]
    (tmp_path / "applicants.csv").write_text(f"{','.join(named)}\n{','.join(map(str, named.values()))}\n")
    blocks = re.findall(r"^```sh\n(.*?)^```", (root / name).read_text(), re.DOTALL | re.MULTILINE)
    script = "\n".join(block for block in blocks if "curl" in block).replace("http://127.0.0.1:8000", service)
    quietly = script.replace("curl ", "curl --silent --show-error --fail --noproxy '*' --output /dev/null ")

    done = subprocess.run(["sh", "-ec", quietly], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert script.count("curl ") == commands


def test_every_path_of_the_service_is_documented_and_no_other(text: str) -> None:
    """Files of the pages aside."""
    table = text[text.index("| path |") : text.index("## Applicants")]
    documented = set(re.findall(r"(?<=[ ,])/[a-z0-9/{}._]*", table.replace("…", "")))
    served = {endpoint.path for endpoint in ENDPOINTS if endpoint.path.removeprefix("/") not in FILES}

    assert documented == {path for path in served if "/versions/" not in path} | {
        "/v2/models/{name}/versions/{version}"
    }


def test_every_kind_of_problem_is_documented_with_its_status(text: str) -> None:
    """As the service sends them."""
    for one in PROBLEMS:
        kind = one.problem.type.removeprefix("urn:problem:")
        assert re.search(rf"^\| [^|]*\b{one.status}\b[^|]* \| [^|]*\b{kind}\b", text, re.MULTILINE), kind


def test_every_metric_is_documented(text: str, root: Path) -> None:
    """By the name that Prometheus shows."""
    shown = re.findall(r"^# TYPE (\S+)", ask(root, "GET", "/metrics").text, re.MULTILINE)

    assert shown
    for name in shown:
        assert name in text


def test_the_printed_error_has_the_members_of_a_real_one(text: str, root: Path) -> None:
    """And the same words for its fault."""
    printed = json.loads(next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "urn:" in block))
    body = re.search(r"/score -d '(.*?)'", text, re.DOTALL)
    assert body

    answer = ask(root, "POST", "/score", body[1].replace('"rent"', '"castle"')).json()

    assert list(answer) == list(printed)
    assert answer["errors"] == printed["errors"]
