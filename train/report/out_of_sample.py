"""Out-of-sample predictions for every application: the sample that the report's metrics are computed on.

Hold-out rows are predicted by the model itself, training rows by the same pipeline refitted in five-fold
cross-validation. Small groups are thereby measured on all of their applicants, not on the hold-out alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from train.cross_validation import FOLDS
from train.dataset import Dataset, Matrix
from train.holdout import Partition
from train.target import Labels


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Applications with outcomes and out-of-sample predictions, in the order of the table.

    X: float64, shape (n, n_fields). y: int64, (n,), 1 = default. probability: float64, (n,). holdout_rows: row
    numbers, int64. protected: name of each protected field → its values, float64, (n,), encoded as inputs are.
    """

    X: Matrix
    y: Labels
    probability: Matrix
    holdout_rows: npt.NDArray[np.int64]
    protected: Mapping[str, Matrix]

    @property
    def holdout_predictions(self) -> tuple[Labels, Matrix]:
        """Outcomes and probabilities of the hold-out, shape (n_holdout,) each."""
        return self.y[self.holdout_rows], self.probability[self.holdout_rows]


def predict_out_of_sample(
    pipeline: Pipeline, data: Dataset, partition: Partition, protected: Mapping[str, Matrix], seed: int
) -> OutOfSample:
    """Predict every application; `pipeline` is fitted on the rows `partition.training_rows`, and is not changed."""
    probability = np.empty(len(data.y))
    probability[partition.holdout_rows] = pipeline.predict_proba(data.X[partition.holdout_rows])[:, 1]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    training = data.take(partition.training_rows)
    by_class = cross_val_predict(clone(pipeline), training.X, training.y, cv=folds, method="predict_proba")
    probability[partition.training_rows] = by_class[:, 1]
    return OutOfSample(data.X, data.y, probability, partition.holdout_rows, protected)
