"""The check of the export for other boosting libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.test_proof import data, fit_and_export
from train.card import read_card
from train.dataset import Dataset
from train.proof import TOLERANCE, prove
from train.readers.describe import describe

__all__ = ["data"]


@pytest.mark.parametrize(
    ("kind", "trees"), [("lightgbm", "n_estimators"), ("xgboost", "n_estimators"), ("catboost", "iterations")]
)
def test_the_boosters_of_other_libraries_are_exported_exactly(
    credit_card: Path, data: Dataset, kind: str, trees: str
) -> None:
    """On credit_data, generated rows and rows at the splits; only XGBoost itself sums in float32."""
    pipeline, model = fit_and_export(read_card(credit_card), data, kind, {trees: 60})

    proof = prove(describe(pipeline), model, data.X, seed=0)

    assert proof.largest_difference <= TOLERANCE
    assert proof.decisions_differ == 0
    assert (kind == "xgboost") is (proof.library_rounding > 0)
