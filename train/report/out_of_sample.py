"""Out-of-sample predictions: the sample that the report's metrics are computed on.

Hold-out rows are predicted by the model itself, training rows by models of the same settings on random
folds, corrected across the folds where the model is. Small groups are thereby measured on all of their
applicants, not on the hold-out alone. Rows in neither part are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.folds import FOLDS, FoldRows
from train.holdout import Partition
from train.target import Labels
from train.weights import select


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Applications with outcomes and out-of-sample predictions, in the order of the table.

    X: float64, shape (n, n_fields). y: int64, (n,), 1 = default. probability: float64, (n,). holdout_rows: row
    numbers, int64. protected, segments: name of each protected field, and of each field with segment = true → its
    values, float64, (n,), encoded as inputs are. weight, time: as in Dataset, None if the card names none; with times
    the hold-out is the newest part, and the other rows are predicted by random folds, which is in time. folds: their
    number.
    """

    X: Matrix
    y: Labels
    probability: Matrix
    holdout_rows: npt.NDArray[np.int64]
    protected: Mapping[str, Matrix]
    segments: Mapping[str, Matrix] = field(default_factory=dict)
    weight: Matrix | None = None
    time: Labels | None = None
    folds: int = FOLDS

    @property
    def holdout_predictions(self) -> tuple[Labels, Matrix]:
        """Outcomes and probabilities of the hold-out, shape (n_holdout,) each."""
        return self.y[self.holdout_rows], self.probability[self.holdout_rows]


def predict_across_folds(pipeline: Pipeline, data: Dataset, folds: list[FoldRows]) -> Matrix:
    """Out-of-fold probabilities of rows by refitted clones of a pipeline, on random folds: float64, shape (n,)."""
    probability = np.empty(len(data.y))
    for rows in folds:
        fitted = fit(clone(pipeline), data.take(rows.fitted))
        probability[rows.measured] = fitted.predict_proba(data.X[rows.measured])[:, 1]
    return probability


def make_sample(
    model: Any,
    out_of_fold: Matrix,
    data: Dataset,
    partition: Partition,
    protected: Mapping[str, Matrix],
    segments: Mapping[str, Matrix],
    folds: int = FOLDS,
) -> OutOfSample:
    """The sample of a fitted model: `out_of_fold` probabilities of the training rows, and its own of the hold-out."""
    probability = np.full(len(data.y), np.nan)
    probability[partition.training_rows] = out_of_fold
    probability[partition.holdout_rows] = model.predict_proba(data.X[partition.holdout_rows])[:, 1]
    kept = np.sort(np.concatenate([partition.training_rows, partition.holdout_rows]))
    return OutOfSample(
        X=data.X[kept],
        y=data.y[kept],
        probability=probability[kept],
        holdout_rows=np.searchsorted(kept, partition.holdout_rows),
        protected={name: values[kept] for name, values in protected.items()},
        segments={name: values[kept] for name, values in segments.items()},
        weight=select(data.weight, kept),
        time=None if data.time is None else data.time[kept],
        folds=folds,
    )
