"""What is printed of the hold-out and the folds."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from rich.console import Console

from model.inputs import Input
from model.money import Money
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, CardPolicy
from train.cross_validation import Fold, Trial
from train.dataset import Dataset
from train.errors import TrainingError
from train.holdout import Partition
from train.policy import make_policy
from train.quality import Quality
from train.summary import Entry, show_summary, show_table, show_validation
from train.table import read_table

ROWS = 400


def show(groups: int, time: np.ndarray | None = None, left_out: int = 0) -> str:
    """Training rows of so many groups, every fourth a default."""
    rows, console = np.arange(ROWS), Console(file=io.StringIO(), soft_wrap=True)
    training = Dataset(np.zeros((ROWS, 1)), (rows % 4 == 0).astype(np.int64), None, time, rows % groups)
    since = None if time is None else ROWS
    show_validation(console, Partition(rows, rows[:9], since, left_out), training, 0)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_default_rate_is_told_with_and_without_weights(tmp_path: Path) -> None:
    """Rows, and whom they stand for."""
    path = tmp_path / "loans.csv"
    path.write_text("a,w,bad\n" + "1,1,1\n2,4,0\n" * 2)
    card = Card(CardDataset("loans", "loans.csv", "bad", 1, weight="w"), {"a": CardField("A", "number", reason="A")})
    data = Dataset(np.array([[1.0], [2.0]] * 2), np.array([1, 0] * 2), np.array([0.4, 1.6] * 2))
    console = Console(file=io.StringIO(), soft_wrap=True)

    show_table(console, card, read_table(path), data, is_inferred=False)

    assert "2 applications (50.0%; 20.0% weighted by w)" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("groups", "told"), [(3, "3 random folds instead of 5"), (50, "")])
def test_fewer_folds_are_told(groups: int, told: str) -> None:
    """And why."""
    assert f"Training rows: 400 of {groups} groups" in show(groups)
    assert ("random folds instead" in show(groups)) == bool(told)
    assert told in show(groups)


def test_rows_that_groups_leave_out_are_told_where_too_few_are_left() -> None:
    """In the one sentence of the error: those of the hold-out's groups, and those of the folds'."""
    message = "because up to .* older rows .* measured later; .*; 218 older rows are left out before"
    with pytest.raises(TrainingError, match=message):
        show(20, np.arange(ROWS), left_out=218)

    with pytest.raises(TrainingError, match=r"without a time$"):
        show(20, np.arange(ROWS))


def test_the_profit_is_told_with_the_rows_that_have_none() -> None:
    """Of a policy in money: gains missed by refusing all, less the costs of the chosen model."""
    policy = structs.replace(make_policy(CardPolicy()), stated="money", money=Money(Input("amount", 0), 0.5, 0.1))
    holdout = Dataset(np.array([[100.0], [300.0], [np.nan]]), np.array([0, 1, 0]))
    trial = Trial(CANDIDATES["logistic"], {}, (Fold(0.4, 0.8),))
    console = Console(file=io.StringIO(), soft_wrap=True)

    show_summary(console, holdout, [Entry(trial, Quality(0.8, 0.6, 0.5, 0.4, 0.1, 0.01, 0.5, 2.0))], trial, policy)

    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Accept all: cost per applicant 75.0000; refuse all: 5.0000" in output
    assert "Profit per applicant: 3.0000; accept all: -70.0000; refuse all: 0" in output
    assert "1 of 3 rows have no known exposure or margin" in output
