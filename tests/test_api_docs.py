"""Examples of README.md, docs/api.md and docs/migrate.md are answered as printed; docs/api.md is complete."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.policy import DECISIONS
from serve.api.pages import FILES
from serve.api.routes import ENDPOINTS
from serve.schemas.problems import (
    HTTPProblem,
    InvalidApplicants,
    InvalidRequest,
    body_cut_off,
    erased,
    forbidden,
    internal_error,
    no_model,
    not_found,
    not_recorded,
    not_replayable,
    too_busy,
    too_large,
    too_slow,
    unauthorized,
    unknown_encoding,
    wrong_method,
)
from serve.schemas.responses import Fault
from tests.tools import require

PROBLEMS: list[HTTPProblem] = [
    InvalidApplicants([Fault("", "what is wrong")]),
    InvalidRequest([Fault("", "what is wrong")]),
    body_cut_off(2, 1),
    unauthorized(),
    forbidden("a key may not"),
    erased("its data"),
    not_recorded(),
    not_replayable("its model"),
    no_model("a", "b"),
    not_found("/"),
    internal_error(),
    too_busy("all are"),
    too_large("a", "2", "1"),
    too_slow(1),
    unknown_encoding("br"),
    wrong_method("GET", "/", "POST"),
]

TOLERANCE = 1e-9
"""Of a printed number: processors differ in the last bits of a probability."""


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    """The text of docs/api.md."""
    return (root / "docs" / "api.md").read_text()


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    """A client of the running service."""
    with httpx.Client(base_url=service, trust_env=False) as client:
        yield client


def find_body(text: str) -> str:
    """The body of the first curl that posts to /score."""
    found = re.search(r"/score -d '(.*?)'", text, re.DOTALL)
    assert found
    return found[1]


def round_numbers(value: Any) -> Any:
    """The same JSON with every number approximate."""
    if isinstance(value, dict):
        return {key: round_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [round_numbers(item) for item in value]
    return pytest.approx(value, abs=TOLERANCE) if isinstance(value, float) else value


def test_the_answer_printed_in_the_readme_is_real(client: httpx.Client, root: Path) -> None:
    readme = (root / "README.md").read_text()
    printed = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert printed
    expected = json.loads(printed[1])

    answer = client.post("/score", content=find_body(readme)).json()

    assert answer["results"] == round_numbers(expected["results"])
    assert answer["model"].keys() == expected["model"].keys()


def test_the_printed_change_is_real(client: httpx.Client, text: str) -> None:
    printed = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert printed
    expected = json.loads(f"{{{printed[1]}}}")

    (result,) = client.post("/score", content=find_body(text)).json()["results"]

    assert result["what_would_change"] == round_numbers(expected["what_would_change"])


def test_every_posted_example_is_answered(client: httpx.Client, text: str) -> None:
    """Each gives a decision or a probability, and all give the same one."""
    examples = re.findall(r"curl http://127\.0\.0\.1:8000(/\S+) -d '(.*?)'", text, re.DOTALL)
    answers = [(path, client.post(path, content=body).raise_for_status().json()) for path, body in examples]
    probabilities = [
        answer["results"][0]["probability"]
        if path == "/score"
        else answer["outputs"][0]["data"][0]
        if path.endswith("/infer")
        else answer[0]
        for path, answer in answers
    ]

    assert [path for path, _ in answers] == ["/score", "/predict", "/v2/models/credit_data/infer"]
    assert probabilities == [pytest.approx(probabilities[0], abs=1e-12)] * 3
    assert answers[0][1]["results"][0]["decision"] in DECISIONS


@pytest.mark.parametrize(("name", "commands"), [("docs/api.md", 8), ("docs/migrate.md", 8), ("README.md", 1)])
def test_every_command_works_in_a_shell(
    name: str, commands: int, root: Path, tmp_path: Path, service: str, text: str
) -> None:
    """As printed, against the running service; applicants.csv has the columns that docs/api.md describes."""
    require("curl")
    named = json.loads(find_body(text))["applicants"][0]
    (tmp_path / "applicants.csv").write_text(f"{','.join(named)}\n{','.join(map(str, named.values()))}\n")
    blocks = re.findall(r"^```sh\n(.*?)^```", (root / name).read_text(), re.DOTALL | re.MULTILINE)
    script = "\n".join(block for block in blocks if "curl" in block).replace("http://127.0.0.1:8000", service)
    quietly = script.replace("curl ", "curl --silent --show-error --fail --noproxy '*' --output /dev/null ")

    done = subprocess.run(["sh", "-ec", quietly], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert script.count("curl ") == commands


def test_every_shape_that_is_shown_gives_the_same_probability(client: httpx.Client, root: Path) -> None:
    """The one that is printed, rounded."""
    text = (root / "docs" / "migrate.md").read_text()
    bodies = re.findall(r"curl http://127\.0\.0\.1:8000/predict -d '(.*?)'", text, re.DOTALL)
    printed = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert printed

    answers = [client.post("/predict", content=body).raise_for_status().json() for body in bodies]

    assert answers == [answers[0]] * len(re.findall("curl ", text))
    assert [round(probability, 2) for probability in answers[0]] == json.loads(printed[1])


def test_every_path_of_the_service_is_documented_and_no_other(text: str) -> None:
    """Except the files of the pages."""
    table = text[text.index("| path |") : text.index("## Applicants")]
    documented = set(re.findall(r"(?<=[ ,`])/[a-z0-9/{}._-]*", table.replace("…", "")))
    served = {endpoint.path for endpoint in ENDPOINTS if endpoint.path.removeprefix("/") not in FILES}

    assert documented == {path for path in served if "/versions/" not in path} | {
        "/v2/models/{name}/versions/{version}"
    }


def test_every_kind_of_problem_is_documented_with_its_status(text: str) -> None:
    for one in PROBLEMS:
        kind = one.problem.type.removeprefix("urn:problem:")
        assert re.search(rf"^\| [^|]*\b{one.status}\b[^|]* \| [^|]*\b{kind}\b", text, re.MULTILINE), kind


def test_the_printed_error_is_real(client: httpx.Client, text: str) -> None:
    """Its members, and the words for its fault."""
    printed = json.loads(next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "urn:" in block))

    answer = client.post("/score", content=find_body(text).replace('"rent"', '"castle"')).json()

    assert list(answer) == list(printed)
    assert answer["errors"] == printed["errors"]
