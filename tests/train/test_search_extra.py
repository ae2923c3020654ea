"""Tuning of a candidate's settings with Optuna."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.loading import load_model
from train.__main__ import main
from train.candidates import CANDIDATES, Span
from train.card import CardField
from train.cross_validation import Trial, cross_validate
from train.dataset import Dataset
from train.folds import FOLDS
from train.search import distribution, search

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "abcd"]
POOR = replace(CANDIDATES["logistic"], settings={"C": 0.001})
QUICK = replace(
    CANDIDATES["boosting"], settings=CANDIDATES["boosting"].settings | {"max_iter": 5}, space={"max_iter": Span(1, 9)}
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Applicants whose outcome depends on two of four fields."""
    random = np.random.default_rng(1)
    X = random.normal(size=(300, len(FIELDS)))
    return Dataset(X, (X[:, 0] - X[:, 1] + random.normal(size=300) > 0).astype(np.int64))


@pytest.fixture(scope="module")
def poor(data: Dataset) -> Trial:
    """Logistic regression with far too much regularization."""
    return cross_validate(POOR, data, FIELDS, 0)


def test_the_seed_determines_the_trials(data: Dataset, poor: Trial) -> None:
    """The same seed tries the same settings, another seed other ones."""
    one, two, other = (list(search(poor, data, FIELDS, seed, 12)) for seed in (3, 3, 4))

    assert one == two
    assert [trial.settings for trial in one] != [trial.settings for trial in other]


def test_a_search_finds_better_settings_within_the_space(data: Dataset, poor: Trial) -> None:
    """Starting from too much regularization."""
    trials = list(search(poor, data, FIELDS, 0, 12))

    assert len(trials) == 12
    assert min(trial.log_loss for trial in trials) < poor.log_loss - 0.05
    assert all(1e-3 <= trial.settings["C"] <= 1e2 for trial in trials)


def test_settings_outside_the_space_keep_their_value(data: Dataset) -> None:
    """And whole numbers stay whole."""
    first = cross_validate(QUICK, data, FIELDS, 0)

    for trial in search(first, data, FIELDS, 0, 4):
        assert isinstance(trial.settings["max_iter"], int)
        assert QUICK.settings == trial.settings | {"max_iter": 5}


def test_the_deadline_is_checked_after_each_fold(data: Dataset, poor: Trial) -> None:
    """And before each trial; an unfinished trial is dropped."""
    ticks = itertools.count(1)
    folds: list[int] = []
    checks = FOLDS + 1

    trials = list(
        search(poor, data, FIELDS, 0, 1000, 3 * checks + 3, lambda: folds.append(1), clock=lambda: float(next(ticks)))
    )

    assert len(trials) == 3
    assert len(folds) == 3 * FOLDS + 2


def test_nothing_is_tried_after_the_deadline_or_without_runs(data: Dataset, poor: Trial) -> None:
    """The search ends before the first fit."""
    assert list(search(poor, data, FIELDS, 0, 1000, deadline=1.0, clock=lambda: 2.0)) == []
    assert list(search(poor, data, FIELDS, 0, 0)) == []


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(1, 9), "IntDistribution(high=9, log=False, low=1, step=1)"),
        (Span(5, 200, log=True), "IntDistribution(high=200, log=True, low=5, step=1)"),
        (Span(0.1, 1.0), "FloatDistribution(high=1.0, log=False, low=0.1, step=None)"),
        (Span(0.1, 1.0, log=True), "FloatDistribution(high=1.0, log=True, low=0.1, step=None)"),
    ],
)
def test_a_span_becomes_an_optuna_distribution(span: Span, expected: str) -> None:
    """Of whole numbers if both ends are, on a log scale if `log`."""
    assert repr(distribution(span)) == expected


def test_a_search_is_reproducible_and_records_every_run(
    write_table: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same seed gives the same settings and bytes; each run is a line with all it takes to repeat it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    table = write_table(random=np.random.default_rng(0).normal(size=300))
    arguments = ["--data", str(table), "--target", "outcome", "--id", "number", "--model", "logistic", "--search", "6"]
    for folder in ("one", "two"):
        assert main([*arguments, "--out", str(tmp_path / folder)]) == 0

    printed = capsys.readouterr().out
    runs, again = (
        [json.loads(line) for line in (tmp_path / folder / "runs.jsonl").read_text().splitlines()]
        for folder in ("one", "two")
    )
    best = min(runs, key=lambda run: run["log_loss"])
    training = load_model(tmp_path / "one/model.onnx").contract.training
    assert (tmp_path / "one/model.onnx").read_bytes() == (tmp_path / "two/model.onnx").read_bytes()
    assert [(run["settings"], run["folds"]) for run in runs] == [(run["settings"], run["folds"]) for run in again]
    assert best["settings"] == training.settings != CANDIDATES["logistic"].settings
    assert "with the best of 6 trials" in printed
    assert str(tmp_path / "one/runs.jsonl") in printed
    assert CANDIDATES["logistic"].settings == runs[0]["settings"]
    assert len(runs) == 6
    for run in runs:
        assert [len(run["folds"]), run["rows"], run["seed"]] == [5, 240, 0]
        assert run["log_loss"] == pytest.approx(np.mean([fold["log_loss"] for fold in run["folds"]]))
        assert run["seconds"] > 0
        assert runs[0]["training"] == run["training"]
        assert (hashlib.sha256(table.read_bytes()).hexdigest(), training.card_sha256, training.libraries) == (
            run["data_sha256"],
            run["card_sha256"],
            run["libraries"],
        )
