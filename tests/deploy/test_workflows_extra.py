"""The GitHub workflows run make targets only, with minimal permissions and documented secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

WORKFLOWS = ("ci.yml", "retrain.yml")


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """The workflow files by name."""
    return {path.name: path.read_text() for path in sorted((root / ".github" / "workflows").glob("*.yml"))}


@pytest.fixture(scope="module")
def steps(texts: dict[str, str]) -> list[dict[str, Any]]:
    """Every step of every job."""
    jobs = [job for text in texts.values() for job in YAML(typ="safe").load(text)["jobs"].values()]
    return [step for job in jobs for step in job["steps"]]


def test_all_workflows_are_tested(texts: dict[str, str]) -> None:
    """Those of WORKFLOWS and no others."""
    assert list(texts) == list(WORKFLOWS)


def test_every_shell_step_is_one_make_target(steps: list[dict[str, Any]], root: Path) -> None:
    """So that every step also runs locally."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    commands = [step["run"] for step in steps if "run" in step]

    assert commands
    for command in commands:
        found = re.fullmatch(r"make ([a-z-]+)", command)
        assert found, command
        assert found[1] in targets


def test_every_action_is_pinned_with_its_version(texts: dict[str, str]) -> None:
    """By its full commit sha, with the version in a comment."""
    for text in texts.values():
        for line in re.findall(r"uses: .*", text):
            assert re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_secrets_and_variables_are_those_of_the_documentation(texts: dict[str, str], root: Path) -> None:
    """docs/deployment.md names those that the workflows read, README those that a deployment needs."""
    used = set(re.findall(r"(?:secrets|vars)\.([A-Z_]+)", "".join(texts.values())))
    needed = {"HEROKU_API_KEY", "HEROKU_APP"}

    assert used == needed | {"DECISIONS_URL", "RETRAIN_FLAGS"}
    for path, names in (("README.md", needed), ("docs/deployment.md", used)):
        text = (root / path).read_text()
        assert {name for name in names if re.search(rf"\b{name}\b", text)} == names, path


def test_untested_actions_are_documented(steps: list[dict[str, Any]], root: Path) -> None:
    """Each action that a workflow uses is listed in docs/deployment.md among the steps that no rehearsal covers."""
    _, _, untested = (root / "docs" / "deployment.md").read_text().partition(" outside the rehearsal\n")

    for action in {step["uses"].partition("@")[0] for step in steps if "uses" in step}:
        assert f"`{action}`" in untested, action


def test_permissions_are_minimal(texts: dict[str, str]) -> None:
    """None by default; only the proposal may write; no other job gets the key of the platform or of the database."""
    jobs = {name: job for text in texts.values() for name, job in YAML(typ="safe").load(text)["jobs"].items()}

    for text in texts.values():
        assert YAML(typ="safe").load(text)["permissions"] == {}
    assert [name for name, job in jobs.items() if "write" in job["permissions"].values()] == ["propose"]
    assert {
        name: re.findall(r"secrets\.([A-Z_]+)", str(job)) for name, job in jobs.items() if "secrets." in str(job)
    } == {
        "deploy": ["HEROKU_API_KEY"],
        "retrain": ["DECISIONS_URL"],
    }
    assert {name: job["environment"] for name, job in jobs.items() if "environment" in job} == {
        "deploy": "production",
        "propose": "models",
    }
