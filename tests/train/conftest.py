"""Cheaper training for the tests: a shorter check of the export, and no report for models where it isn't tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import small_table
from train import __main__ as command
from train import proof, proof_rows


@pytest.fixture(scope="session", autouse=True)
def _short_proof() -> Iterator[None]:
    """Compare 5,000 generated rows instead of 100,000; the test that trains in a process of its own compares all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof_rows, "GENERATED_ROWS", 5_000)
        patch.setattr(proof_rows, "ROWS_WITH_MISSING", 1_000)
        patch.setattr(proof, "EXPLAINED_ROWS", 200)
        yield


def train_without_report(*arguments: str) -> None:
    """Run `python -m train` without findings, report, model card and changelog."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "collect_findings", lambda *_: None)
        patch.setattr(command, "render_documents", lambda *_: {})
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
