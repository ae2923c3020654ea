"""Out-of-sample predictions: no application is predicted by a model that was fitted on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline

from train.card import CardPolicy
from train.dataset import Dataset
from train.holdout import split_rows
from train.policy import make_policy
from train.report.out_of_sample import OutOfSample
from train.report.samples import measure_samples

SEED = 3


def test_training_rows_are_predicted_by_models_that_were_not_fitted_on_them(
    pipeline: Pipeline, rows: Dataset, out_of_sample: OutOfSample
) -> None:
    """The model itself predicts the hold-out; on training rows it is better than the cross-validated predictions."""
    partition = split_rows(rows.y, SEED)
    fit = rows.take(partition.training_rows)
    own = pipeline.predict_proba(rows.X)[:, 1]

    np.testing.assert_array_equal(out_of_sample.probability[partition.holdout_rows], own[partition.holdout_rows])
    assert not np.isclose(own[partition.training_rows], out_of_sample.probability[partition.training_rows]).all()
    error = [np.mean((p[partition.training_rows] - fit.y) ** 2) for p in (own, out_of_sample.probability)]
    assert error[0] < error[1]


def test_the_sentence_of_a_sample_counts_its_folds(out_of_sample: OutOfSample) -> None:
    """Few groups give fewer than five."""
    samples = measure_samples(replace(out_of_sample, folds=3), make_policy(CardPolicy()), SEED)

    assert "predicted by cross-validation with 3 folds and the same settings" in samples[0].sentence


def test_the_order_of_the_table_is_kept(rows: Dataset, out_of_sample: OutOfSample) -> None:
    """`holdout_predictions` selects the hold-out rows from outcomes and probabilities."""
    y, probability = out_of_sample.holdout_predictions

    np.testing.assert_array_equal(y, rows.y[out_of_sample.holdout_rows])
    np.testing.assert_array_equal(probability, out_of_sample.probability[out_of_sample.holdout_rows])
    assert np.isfinite(out_of_sample.probability).all()
