"""The notebooks run as scripts and print correct figures."""

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
    """Run a notebook as a script, with warnings as errors; returns what it prints."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "error"} | settings
    done = subprocess.run(
        [sys.executable, str(root / "notebooks" / name)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["try_the_api.py", "explore.py"])
def test_a_notebook_opens_as_cells(root: Path, name: str) -> None:
    """jupytext finds text and code cells, the text first."""
    text = (root / "notebooks" / name).read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")

    assert {cell.cell_type for cell in notebook.cells} == {"markdown", "code"}
    assert notebook.cells[0].cell_type == "markdown"


def test_the_api_notebook_scores_applicants(root: Path, service: str) -> None:
    """It prints ten decisions, equal probabilities of /predict and /score, and the pointer of an error."""
    printed = run(root, "try_the_api.py", CREDIT_API_URL=service)

    assert len(re.findall(r"^\d+ +(?:accept|review|refuse) ", printed, re.M)) == 10
    assert "/predict and /score differ by at most 0.0\n" in printed
    assert "/applicants/0/unknown: unknown field" in printed


def test_the_exploration_describes_the_data_and_the_model(root: Path) -> None:
    """It prints the rows and default rate of credit_data, and the partial dependence of each field."""
    printed = run(root, "explore.py")

    assert "credit_data: 4,454 applications, 28.2% default" in printed
    spreads = printed.split("spread\n")[1]
    assert len(re.findall(r"^\w+ +0\.\d+ +0\.\d+ +0\.\d+$", spreads, re.M)) == 11
