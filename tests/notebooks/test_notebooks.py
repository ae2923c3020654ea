"""The notebooks run from top to bottom, and say what is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

SECONDS = 120


def run(root: Path, name: str, **settings: str) -> str:
    """What a notebook prints, run as the script that it also is; its folder is where it was started from."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "error"} | settings
    done = subprocess.run(
        [sys.executable, str(root / "notebooks" / name)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["try_the_api.py", "explore.py"])
def test_a_notebook_opens_as_cells(root: Path, name: str) -> None:
    """Text for people, then code; it can be converted and read back unchanged."""
    text = (root / "notebooks" / name).read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")

    assert {"markdown", "code"} == {cell.cell_type for cell in notebook.cells}
    assert "markdown" == notebook.cells[0].cell_type


def test_the_api_is_tried_on_real_applicants(root: Path, service: str) -> None:
    """Ten of them, with reasons; both ways to ask agree to the last bit; faults have their places."""
    printed = run(root, "try_the_api.py", CREDIT_API_URL=service)

    assert 10 == len(re.findall(r"^\d+ +(?:accept|review|refuse) ", printed, re.M))
    assert "/predict and /score differ by at most 0.0\n" in printed
    assert "/applicants/0/unknown: unknown field" in printed


def test_the_data_and_the_shapes_are_shown(root: Path) -> None:
    """Counts of the table as its documentation has them, and a shape for each field."""
    printed = run(root, "explore.py")

    assert "credit_data: 4,454 applications, 28.2% default" in printed
    shapes = printed.split("spread\n")[1]
    assert 11 == len(re.findall(r"^\w+ +0\.\d+ +0\.\d+ +0\.\d+$", shapes, re.M))
