"""python -m train on portfolios that change with time: what the gate finds, and whether the figures are true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drifting import BROKEN, STABLE, draw_months
from benchmarks.over_time import FRESH_SEED, expect_figures, log_losses, measure
from benchmarks.small_business import CRISIS, YEARS, draw_small_business
from benchmarks.training import Training
from model.calibration import fit_line, log_odds
from model.estimates import auc
from train.__main__ import main
from train.card import read_card
from train.report import documents

SEED = 1

MAX_WIDTHS = 2.0
"""Half-widths of its 95% interval within which a figure must be; by chance 1 of 10,000 is further from the truth."""

ROWS, FRESH_ROWS = 14_000, 50_000


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the report, which most tests here don't read."""
    monkeypatch.setattr(documents, "render_report", lambda findings: b"")


def train(table: Path, out: Path, *options: str) -> int:
    """Train a logistic regression in this process."""
    return main(["--data", str(table), "--target", "Default", "--model", "logistic", "--out", str(out), *options])


def test_a_random_holdout_passes_where_the_newest_rows_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A break in the last months: random rows are from both sides of it, and only the newest show it."""
    table = draw_months(SEED, BROKEN).write(tmp_path / "break.csv")

    assert train(table, tmp_path / "random", "--ignore", "Month") == 0
    capsys.readouterr()
    assert train(table, tmp_path / "time", "--time", "Month") == 2

    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "out of time, on the newest 2,500 rows, since 2024-08-01" in error
    assert "in time it is 1.0" in error
    assert "shifted most Debt (PSI 0." in error
    files = {path.name for path in (tmp_path / "time" / "rejected").iterdir()}
    assert files == {"model.onnx", "report.html", "MODEL_CARD.md"}
    assert not (tmp_path / "time" / "model.onnx").exists()


@pytest.mark.usefixtures("without_report")
def test_figures_of_the_newest_rows_are_those_of_the_model_after_a_crisis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """AUC, log loss, ratio, slope and default rate are within noise of the truth; the verdict says what fails."""
    table = draw_small_business(SEED, ROWS).write(tmp_path / "crisis.csv")

    code = train(table, tmp_path, "--time", "ApprovalFY")

    output = capsys.readouterr().out
    assert code == 2
    assert "Fail    Calibration" in output
    trained = Training(code, "", 0.0, read_card(tmp_path / "crisis.toml"), tmp_path)
    fresh = draw_small_business(FRESH_SEED, FRESH_ROWS, [year for year in YEARS if year >= CRISIS])
    figures = measure(trained, table, fresh, fresh.write(tmp_path / "fresh.csv"))
    for name, figure in figures.items():
        half_width = (figure.estimate.high - figure.estimate.low) / 2
        assert figure.estimate.value == pytest.approx(figure.truth, abs=MAX_WIDTHS * half_width), name


@pytest.mark.usefixtures("without_report")
def test_a_portfolio_that_never_changes_passes_with_its_newest_rows_held_out(tmp_path: Path) -> None:
    """Out of time is no harder than a random hold-out if nothing changes."""
    table = draw_months(SEED, STABLE).write(tmp_path / "stable.csv")

    assert train(table, tmp_path, "--time", "Month") == 0


def test_expected_figures_are_those_of_outcomes_drawn_from_the_chances() -> None:
    """With many outcomes, the figures of a sample are near those that its chances let expect."""
    random = np.random.default_rng(SEED)
    chance = random.uniform(0.01, 0.9, 100_000)
    probability = chance**1.5
    y = (random.random(len(chance)) < chance).astype(np.int64)

    expected = expect_figures(probability, chance)

    assert expected["default rate"] == pytest.approx(y.mean(), abs=0.01)
    assert expected["predicted / observed"] == pytest.approx(probability.mean() / y.mean(), abs=0.02)
    assert expected["AUC"] == pytest.approx(auc(y, probability).value, abs=0.01)
    assert expected["log loss"] == pytest.approx(log_losses(y, probability).mean(), abs=0.01)
    assert expected["slope"] == pytest.approx(fit_line(log_odds(probability), y).slope, abs=0.03)
