"""Evidence: every application is judged once, by a model that hadn't seen it."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from train.dataset import Dataset
from train.holdout import split
from train.report.evidence import Evidence

SEED = 3


def test_those_held_out_are_judged_by_the_model_itself_and_others_by_models_that_had_not_seen_them(
    pipeline: Pipeline, rows: Dataset, evidence: Evidence
) -> None:
    """The model itself knows its own rows better than the evidence says."""
    parts = split(rows.y, SEED)
    fit = rows.take(parts.fit)
    own = pipeline.predict_proba(rows.X)[:, 1]

    np.testing.assert_array_equal(own[parts.holdout], evidence.probability[parts.holdout])
    assert not np.isclose(own[parts.fit], evidence.probability[parts.fit]).all()
    error = [np.mean((p[parts.fit] - fit.y) ** 2) for p in (own, evidence.probability)]
    assert error[0] < error[1]


def test_evidence_keeps_the_order_of_the_table(rows: Dataset, evidence: Evidence) -> None:
    """Outcomes, inputs and those held out belong to the same rows."""
    y, probability = evidence.held_out

    np.testing.assert_array_equal(rows.y[evidence.holdout], y)
    np.testing.assert_array_equal(evidence.probability[evidence.holdout], probability)
    assert np.isfinite(evidence.probability).all()
