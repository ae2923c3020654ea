"""Cheaper training for the tests: a shorter check of the export, and no report for models where it isn't tested."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import small_table
from train import __main__ as command
from train import proof, proof_rows
from train.files import write_whole
from train.report import field_plots, plots, rejects, svg, time_plots

Evaluate = Callable[..., dict[str, Any]]

NEW_ROWS = 2_000
"""Rows of the table that the model of the loans wasn't trained on."""


@pytest.fixture(scope="session", autouse=True)
def _short_proof() -> Iterator[None]:
    """Compare 5,000 generated rows instead of 100,000; the test that trains in a process of its own compares all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof_rows, "GENERATED_ROWS", 5_000)
        patch.setattr(proof_rows, "ROWS_WITH_MISSING", 1_000)
        patch.setattr(proof, "EXPLAINED_ROWS", 200)
        yield


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty plots in the pages of a report, which otherwise take most of its time; `with_plots` brings them back."""
    for module in (plots, field_plots, rejects, time_plots):
        monkeypatch.setattr(module, "render", lambda size, plot: "<svg></svg>")


@pytest.fixture
def with_plots(_no_plots: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are drawn."""
    for module in (plots, field_plots, rejects, time_plots):
        monkeypatch.setattr(module, "render", svg.render)


def write_model(folder: Path, _: object, content: bytes) -> list[Path]:
    """Write the model file alone."""
    write_whole(folder / "model.onnx", content)
    return []


def train_without_report(*arguments: str) -> None:
    """Run `python -m train` without findings, report, model card and changelog."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "collect_findings", lambda *_: None)
        patch.setattr(command, "explain_rejection", lambda *_: None)
        patch.setattr(command, "write_accepted", write_model)
        patch.setattr(command, "assess", lambda _: None)
        patch.setattr(command, "show_verdict", lambda *_: None)
        assert command.main([*arguments]) == 0


@pytest.fixture(scope="session")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with loans.csv of 1,500 rows, a logistic regression trained on it, and its card loans.toml."""
    folder = tmp_path_factory.mktemp("loans")
    small_table(1_500).to_csv(folder / "loans.csv", index=False)
    data = ("--data", str(folder / "loans.csv"), "--target", "outcome", "--id", "number", "--model", "logistic")
    train_without_report(*data, "--out", str(folder))
    return folder


@pytest.fixture
def write_new(tmp_path: Path) -> Callable[..., Path]:
    """Write rows that the model wasn't trained on; keywords add or replace columns."""

    def write(rows: int = NEW_ROWS, **columns: Any) -> Path:
        path = tmp_path / "new.csv"
        small_table(rows).assign(**columns).to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def evaluate(loans: Path, tmp_path: Path) -> Evaluate:
    """Evaluate the model of the loans with --gate; the figures."""

    def run(*arguments: str, code: int = 0) -> dict[str, Any]:
        line = ["evaluate", str(loans / "model.onnx"), "--out", str(tmp_path / "out"), "--gate", *arguments]
        assert command.main(line) == code
        path = tmp_path / "out" / "evaluation.json"
        figures: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return figures

    return run
