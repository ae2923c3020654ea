"""The README tells the truth: its example is answered as it says, its commands exist."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from model.loading import load_model
from serve.app import make_app

DIGITS = 1e-9
"""Processors differ in the last bits of a probability."""


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    """The text of the README."""
    return (root / "README.md").read_text()


def post(root: Path, body: str) -> httpx.Response:
    """The answer of the service around the artifact in the checkout."""
    app = make_app(load_model(root / "artifacts" / "model.onnx"))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/score", content=body)

    return asyncio.run(ask())


def round_numbers(value: object) -> object:
    """The same JSON with every number approximate."""
    if isinstance(value, dict):
        return {key: round_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [round_numbers(item) for item in value]
    return pytest.approx(value, abs=DIGITS) if isinstance(value, float) else value


def test_the_curl_of_the_first_screen_has_its_real_answer(readme: str, root: Path) -> None:
    """Copied into a shell it gives what is printed below it."""
    body = re.search(r"-d '(.*?)'", readme, re.DOTALL)
    printed = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert body
    assert printed

    answer = post(root, body[1]).json()

    assert round_numbers(json.loads(printed[1])["results"]) == answer["results"]
    assert json.loads(printed[1])["model"].keys() == answer["model"].keys()


def test_every_make_target_of_the_readme_exists(readme: str, root: Path) -> None:
    """A command that nobody can run is worse than none."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z-]+)(?=[ `\n])", readme)) - {"and"} <= targets


def test_every_link_into_the_repository_leads_somewhere(readme: str, root: Path) -> None:
    """Files and headings."""
    headings = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)", readme, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        if target.startswith("#"):
            assert target[1:] in headings
        elif not target.startswith("http"):
            assert (root / target.partition("#")[0]).exists(), target
