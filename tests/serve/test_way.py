"""The way of a request: one applicant scored with reasons passes few files, and the rooms of the service in order."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from model.session import Model
from serve.app import make_app
from tests.serve.conversation import Conversation

MOST_FILES = 10
"""What somebody has to read to know how an applicant is answered."""

ROOMS = ["middleware", "api", "schemas", "model", "metrics"]
"""In the order in which a request enters them first."""


def test_a_request_passes_few_files_and_the_rooms_in_order(model: Model, root: Path, named: dict[str, Any]) -> None:
    """Middleware, endpoint, schema, model, metrics; `pytest -s` shows the files in the order of their first calls."""
    app = make_app(model)
    body = json.dumps({"applicants": [named]}).encode()
    asked = Conversation("POST", "/score", [body], {"content-type": "application/json"})
    ours = (str(root / "serve"), str(root / "model"))
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ours):
            files[str(Path(frame.f_code.co_filename).relative_to(root))] = None

    async def ask() -> None:
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await asked.run(app)
        finally:
            sys.setprofile(before)

    asyncio.run(ask())

    print("", *files, sep="\n  ")
    rooms = dict.fromkeys(room for file in files if (room := room_of(file)) in ROOMS)
    assert asked.status == 200
    assert asked.json["results"][0]["reasons"]
    assert list(rooms) == ROOMS
    assert len(files) <= MOST_FILES


def room_of(file: str) -> str:
    """The folder of serve/ that a file lies in, or model."""
    parts = Path(file).parts
    return "model" if parts[0] == "model" else parts[1]
