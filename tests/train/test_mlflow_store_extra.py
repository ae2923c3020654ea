"""Runs in MLflow's own store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from model.loading import load_model
from train.__main__ import main
from train.errors import TrainingError
from train.mlflow_store import URI_VARIABLE, MlflowStore


def test_the_mlflow_client_reads_every_run(
    write_table: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters, metrics with a step per fold, hashes, commit; telemetry is off, and there is no runs.jsonl."""
    monkeypatch.delenv(URI_VARIABLE, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    arguments = ["--data", str(write_table()), "--target", "outcome", "--model", "logistic", "--search", "3"]

    assert main([*arguments, "--mlflow", "--out", str(tmp_path / "out")]) == 0

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tmp_path}/out/mlflow.db")
    experiment = client.get_experiment_by_name("loans")
    assert experiment
    runs = client.search_runs([experiment.experiment_id], order_by=["metrics.log_loss ASC"])
    training = load_model(tmp_path / "out" / "model.onnx").contract.training
    assert len(runs) == 3
    assert {"C": str(training.settings["C"]), "candidate": "logistic", "seed": "0", "folds": "5", "rows": "240"} == (
        runs[0].data.params
    )
    for run in runs:
        folds = client.get_metric_history(run.info.run_id, "fold_log_loss")
        assert [fold.step for fold in folds] == [0, 1, 2, 3, 4]
        assert run.data.metrics["log_loss"] == pytest.approx(sum(fold.value for fold in folds) / 5)
        assert (training.data_sha256, training.commit, "FINISHED") == (
            run.data.tags["data_sha256"],
            run.data.tags["mlflow.source.git.commit"],
            run.info.status,
        )
        assert run.info.end_time > run.info.start_time
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert not (tmp_path / "out" / "runs.jsonl").exists()


def test_an_invalid_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the store and the setting to change."""
    monkeypatch.delenv(URI_VARIABLE, raising=False)
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to look at" * 10)

    with pytest.raises(TrainingError, match=r"mlflow\.db: .*not a database; name another one in MLFLOW_TRACKING_URI"):
        MlflowStore(tmp_path)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(TrainingError, match="choose another folder with --out"):
        MlflowStore(tmp_path / "file" / "out")
