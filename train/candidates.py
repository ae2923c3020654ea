"""The models that are tried: each a name and how its pipeline is built. Add one here and it takes part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from train.card import CardField

DIRECTION = {"increases": 1, "decreases": -1, None: 0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try: `build` makes its unfitted pipeline for the fields, in the order of the columns of X."""

    name: str
    title: str
    build: Callable[[list[CardField], int], Pipeline]


def build_logistic(fields: list[CardField], seed: int) -> Pipeline:
    """Median imputation, StandardScaler, one-hot, logistic regression."""
    numbers = Pipeline(
        [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    )
    return Pipeline(
        [
            ("preprocess", _by_kind(fields, numbers)),
            ("classify", LogisticRegression(C=1.0, max_iter=2000, random_state=seed)),
        ]
    )


def build_boosting(fields: list[CardField], seed: int) -> Pipeline:
    """One-hot, gradient boosting of trees with at most 8 leaves, monotonic where the card knows the direction.

    Numbers go in as they are: a tree asks only for order, sends a missing value its own way, and its
    splits stay readable in the field's unit. Slow learning, few columns a split and L2 keep 300 small
    trees from learning noise. No class weights: probabilities stay probabilities.
    """
    directions = [DIRECTION[field.risk] for field in fields if field.kind == "number"]
    one_hot = sum(len(levels) for levels in _levels(fields))
    classifier = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=300,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        max_features=0.3,
        l2_regularization=20.0,
        monotonic_cst=directions + [0] * one_hot,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("preprocess", _by_kind(fields, "passthrough")), ("classify", classifier)])


CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate("logistic", "Logistic regression", build_logistic),
        Candidate("boosting", "Boosting, 8 leaves", build_boosting),
    )
}


def _by_kind(fields: list[CardField], numbers: Pipeline | str) -> ColumnTransformer:
    """Numbers first, then the one-hot columns of each category, in the order of the fields."""
    columns = {kind: [i for i, field in enumerate(fields) if field.kind == kind] for kind in ("number", "category")}
    one_hot = OneHotEncoder(categories=_levels(fields), handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", numbers, columns["number"]), ("categories", one_hot, columns["category"])]
    return ColumnTransformer([part for part in parts if part[2]])


def _levels(fields: list[CardField]) -> list[np.ndarray]:
    """Of each category the indices of its levels, and NaN where it may be missing: that is a level too."""
    return [
        np.append(np.arange(len(field.levels), dtype=np.float64), [np.nan] if field.nullable else [])
        for field in fields
        if field.kind == "category"
    ]
