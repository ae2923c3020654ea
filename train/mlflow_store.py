"""Recording of runs in an MLflow store (`--mlflow`); MLflow is optional and imported only here.

Its telemetry is switched off, so that no facts of a training leave the machine.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from train.errors import TrainingError, first_lines, import_optional
from train.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

URI_VARIABLE = "MLFLOW_TRACKING_URI"


class MlflowStore:
    """The store that MLFLOW_TRACKING_URI names, otherwise `mlflow.db` in a folder; one experiment per dataset."""

    def __init__(self, folder: Path) -> None:
        """Open the store; raises TrainingError if MLflow isn't installed or the store can't be opened."""
        self.location = os.environ.get(URI_VARIABLE) or f"sqlite:///{(folder / 'mlflow.db').resolve()}"
        self._client = _connect(self.location, folder)

    def record(self, run: Run) -> None:
        """Record a run: settings as parameters, each fold as a step of fold_log_loss and fold_auc."""
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        started = int(datetime.fromisoformat(run.started).timestamp() * 1000)
        ended = started + int(run.seconds * 1000)
        means = {"log_loss": run.log_loss, "auc": run.auc, "seconds": run.seconds}
        folds = [
            Metric(f"fold_{name}", getattr(fold, name), ended, step)
            for step, fold in enumerate(run.folds)
            for name in ("log_loss", "auc")
        ]
        parameters = {"candidate": run.candidate, "seed": run.seed, "folds": len(run.folds), "rows": run.rows}
        tags = {
            "training": run.training,
            "data_sha256": run.data_sha256,
            "card_sha256": run.card_sha256,
            "mlflow.source.git.commit": run.commit,
            "libraries": json.dumps(run.libraries),
            "is_complete": json.dumps(run.is_complete),
        }
        client = self._client
        try:
            known = client.get_experiment_by_name(run.dataset)
            experiment = known.experiment_id if known else client.create_experiment(run.dataset)
            id = client.create_run(experiment, started, run_name=f"{run.candidate} {run.log_loss:.4f}").info.run_id
            client.log_batch(
                id,
                metrics=[Metric(name, value, ended, 0) for name, value in means.items()] + folds,
                params=[Param(name, str(value)) for name, value in (parameters | run.settings).items()],
                tags=[RunTag(name, value) for name, value in tags.items()],
            )
            client.set_terminated(id, end_time=ended)
        except (MlflowException, SQLAlchemyError) as error:
            raise TrainingError(f"can't record in the MLflow store {self.location}: {first_lines(error)}") from error


def _connect(uri: str, folder: Path) -> MlflowClient:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    import_optional("mlflow", "requirements/mlflow.txt")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        # Without the folder MLflow retries for minutes.
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"can't write {folder}: {error.strerror}; choose another folder with --out") from error
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # MLflow uses a loader that SQLAlchemy deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            client = MlflowClient(uri)
            client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError) as error:
        raise TrainingError(
            f"can't open the MLflow store {uri}: {first_lines(error)}; name another one in {URI_VARIABLE}"
        ) from error
    return client
