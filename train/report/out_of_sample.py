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
from train.dataset import Dataset, Labels, Matrix
from train.holdout import Parts


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Applications with outcomes and out-of-sample predictions, in the order of the table.

    X: float64, shape (n, n_fields). y: int64, (n,), 1 = default. probability: float64, (n,). holdout: row numbers of
    the hold-out. protected: name of each protected field → its values, float64, (n,), encoded as inputs are.
    """

    X: Matrix
    y: Labels
    probability: Matrix
    holdout: npt.NDArray[np.int64]
    protected: Mapping[str, Matrix]

    @property
    def held_out(self) -> tuple[Labels, Matrix]:
        """Outcomes and probabilities of the hold-out, shape (n_holdout,) each."""
        return self.y[self.holdout], self.probability[self.holdout]


def predict_out_of_sample(
    pipeline: Pipeline, data: Dataset, parts: Parts, protected: Mapping[str, Matrix], seed: int
) -> OutOfSample:
    """Predict every application; `pipeline` is fitted on the rows `parts.fit`, and is not changed."""
    probability = np.empty(len(data.y))
    probability[parts.holdout] = pipeline.predict_proba(data.X[parts.holdout])[:, 1]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    fit = data.take(parts.fit)
    probability[parts.fit] = cross_val_predict(clone(pipeline), fit.X, fit.y, cv=folds, method="predict_proba")[:, 1]
    return OutOfSample(data.X, data.y, probability, parts.holdout, protected)
