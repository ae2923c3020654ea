"""Fitting a pipeline on a dataset, with the weights of its rows."""

from __future__ import annotations

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from train.dataset import Dataset
from train.errors import TrainingError


def fit(pipeline: Pipeline, data: Dataset) -> Pipeline:
    """Fit an unfitted pipeline of candidates.py; returns it.

    Weights reach the classifier; scaling and imputation before it are of the unweighted rows. Raises TrainingError if
    the classifier takes no weights.
    """
    if data.weight is None:
        return pipeline.fit(data.X, data.y)
    _, classifier = pipeline.steps[-1]
    if not has_fit_parameter(classifier, "sample_weight"):
        raise TrainingError(
            f"a {type(classifier).__name__} can't be fitted with weights of the rows; choose another --model, or leave "
            "the weight out"
        )
    return pipeline.fit(data.X, data.y, classify__sample_weight=data.weight)
