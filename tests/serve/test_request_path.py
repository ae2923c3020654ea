"""The path of a request through the code: few files, and the packages in order."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from model.session import Model
from serve.app import create_app_for_model
from tests.serve.conversation import Conversation

MAX_FILES = 10
"""Number of files that a reader must open to follow a request."""

PACKAGES = ["middleware", "api", "schemas", "model", "metrics"]
"""In the order of their first call."""


def test_a_request_passes_few_files_and_the_packages_in_order(model: Model, root: Path, named: dict[str, Any]) -> None:
    """Middleware, endpoint, schema, model, metrics; `pytest -s` prints the files in the order of their first calls."""
    app = create_app_for_model(model)
    body = json.dumps({"applicants": [named]}).encode()
    exchange = Conversation("POST", "/score", [body], {"content-type": "application/json"})
    ours = (str(root / "serve"), str(root / "model"))
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ours):
            files[str(Path(frame.f_code.co_filename).relative_to(root))] = None

    async def ask() -> None:
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await exchange.run(app)
        finally:
            sys.setprofile(before)

    asyncio.run(ask())

    print("", *files, sep="\n  ")
    packages = dict.fromkeys(package for file in files if (package := package_of(file)) in PACKAGES)
    assert exchange.status == 200
    assert exchange.json["results"][0]["reasons"]
    assert list(packages) == PACKAGES
    assert len(files) <= MAX_FILES


def package_of(file: str) -> str:
    """The package below serve/ to which a file belongs, or model."""
    parts = Path(file).parts
    return "model" if parts[0] == "model" else parts[1]
