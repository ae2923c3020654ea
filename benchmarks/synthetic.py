"""Synthetic applicants and a boosting model, which several benchmarks share."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from model.session import Matrix

ROWS = 4_000
SEED = 0


def draw_applicants(n_fields: int, missing: float = 0.0) -> tuple[Matrix, Matrix]:
    """Draw ROWS applicants, shape (ROWS, n_fields), whose outcome depends a little on every field.

    `missing`: the share of missing values. Values have three decimals, as numbers in request bodies do.
    """
    random = np.random.default_rng(SEED)
    X = random.normal(size=(ROWS, n_fields)).round(3)
    signal = np.tanh(X) @ random.normal(size=n_fields) / np.sqrt(n_fields)
    if missing:
        X[random.random(X.shape) < missing] = np.nan
    return X, (signal + random.normal(0, 0.5, ROWS) > 0.5).astype(np.float64)


def make_boosting(trees: int) -> HistGradientBoostingClassifier:
    """Gradient boosting with trees of 8 leaves."""
    return HistGradientBoostingClassifier(
        max_iter=trees, max_leaf_nodes=8, max_features=0.3, learning_rate=0.05, early_stopping=False, random_state=SEED
    )
