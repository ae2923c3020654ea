"""The workflows call what runs by hand as well, with the secrets that the documentation names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

WORKFLOWS = ("ci.yml", "retrain.yml")
GIVEN = {"github.token", "github.ref", "github.event_name"}
"""Names of the contexts that need no setting."""


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, str]:
    """The workflow files."""
    return {path.name: path.read_text() for path in sorted((root / ".github" / "workflows").glob("*.yml"))}


@pytest.fixture(scope="module")
def steps(texts: dict[str, str]) -> list[dict[str, Any]]:
    """Every step of every job."""
    jobs = [job for text in texts.values() for job in YAML(typ="safe").load(text)["jobs"].values()]
    return [step for job in jobs for step in job["steps"]]


def test_there_are_these_workflows(texts: dict[str, str]) -> None:
    """And no others that the tests here would miss."""
    assert list(WORKFLOWS) == list(texts)


def test_every_shell_step_is_one_make_target(steps: list[dict[str, Any]], root: Path) -> None:
    """Whatever a workflow does runs by hand, too."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    commands = [step["run"] for step in steps if "run" in step]

    assert commands
    for command in commands:
        found = re.fullmatch(r"make ([a-z-]+)", command)
        assert found, command
        assert found[1] in targets


def test_every_action_is_pinned_with_its_version(texts: dict[str, str]) -> None:
    """By a full commit sha; the comment says which version that is."""
    for text in texts.values():
        for line in re.findall(r"uses: .*", text):
            assert re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_secrets_and_variables_are_those_of_the_documentation(texts: dict[str, str], root: Path) -> None:
    """Each is named in README and docs/deploy.md; none is named there that no workflow reads."""
    used = set(re.findall(r"(?:secrets|vars)\.([A-Z_]+)", "".join(texts.values())))

    for path in ("README.md", "docs/deploy.md"):
        assert used == set(re.findall(r"\bHEROKU_(?:API_KEY|APP)\b", (root / path).read_text())), path


def test_what_never_ran_here_is_listed(steps: list[dict[str, Any]], root: Path) -> None:
    """Each action that a workflow uses stands in docs/deploy.md among the steps that no rehearsal covers."""
    _, _, untried = (root / "docs" / "deploy.md").read_text().partition("## What never ran")

    for action in {step["uses"].partition("@")[0] for step in steps if "uses" in step}:
        assert f"`{action}`" in untried, action


def test_nobody_may_more_than_needed(texts: dict[str, str]) -> None:
    """No permission by default; only the proposal writes, only the deployment sees the key."""
    jobs = {name: job for text in texts.values() for name, job in YAML(typ="safe").load(text)["jobs"].items()}

    for text in texts.values():
        assert {} == YAML(typ="safe").load(text)["permissions"]
    assert ["propose"] == [name for name, job in jobs.items() if "write" in job["permissions"].values()]
    assert ["deploy"] == [name for name, job in jobs.items() if "secrets." in str(job)]
    assert {"deploy": "production", "propose": "models"} == {
        name: job["environment"] for name, job in jobs.items() if "environment" in job
    }
