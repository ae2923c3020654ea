"""What every figure of the report rests on: applications judged by a model that had never seen them.

Those held out are judged by the model itself; those it learnt from by the same model fitted on the other four of
five folds. So each application counts once, and small groups have as many people as there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from train.choose import FOLDS
from train.dataset import Dataset, Labels, Matrix
from train.holdout import Parts


@dataclass(frozen=True, slots=True)
class Evidence:
    """Applications and their outcomes, in the order of the table.

    X: float64, shape (n, n_fields). y: int64, (n,), 1 = default. probability: float64, (n,), of a model that
    hadn't seen the application. holdout: row numbers that were held out. protected: float64, (n,), of each field
    that is kept out of the model, encoded as its inputs are.
    """

    X: Matrix
    y: Labels
    probability: Matrix
    holdout: npt.NDArray[np.int64]
    protected: Mapping[str, Matrix]

    @property
    def held_out(self) -> tuple[Labels, Matrix]:
        """Outcomes and probabilities of those held out, shape (n_holdout,) each."""
        return self.y[self.holdout], self.probability[self.holdout]


def gather(pipeline: Pipeline, data: Dataset, parts: Parts, protected: Mapping[str, Matrix], seed: int) -> Evidence:
    """Judge every application: `pipeline` is fitted on the rows `parts.fit`, and is not changed."""
    probability = np.empty(len(data.y))
    probability[parts.holdout] = pipeline.predict_proba(data.X[parts.holdout])[:, 1]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    fit = data.take(parts.fit)
    probability[parts.fit] = cross_val_predict(clone(pipeline), fit.X, fit.y, cv=folds, method="predict_proba")[:, 1]
    return Evidence(data.X, data.y, probability, parts.holdout, protected)
