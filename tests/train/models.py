"""Model files of every kind of score: log-odds, probabilities, and what calibrations and averages make of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.policy import Policy
from train.bins import bin_numbers, make_bins
from train.card import CardPolicy
from train.dataset import Matrix
from train.export import draw_reference, export
from train.policy import make_policy
from train.readers.describe import describe

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())

KINDS: dict[str, Any] = {
    "logistic": LOGISTIC,
    "boosting": GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=0),
    "forest": RandomForestClassifier(5, max_depth=4, random_state=0),
    "Platt calibration": CalibratedClassifierCV(LOGISTIC, method="sigmoid", cv=3),
    "isotonic calibration": CalibratedClassifierCV(LOGISTIC, method="isotonic", cv=2),
    "vote": VotingClassifier(
        [("one", LOGISTIC), ("other", GradientBoostingClassifier(n_estimators=5, random_state=0))], voting="soft"
    ),
}

POLICY = make_policy(CardPolicy(cost_review=0.3))


@cache
def export_kind(kind: str, policy: Policy = POLICY) -> bytes:
    """The bytes of a model file with three fields, trained on `draw_numbers(600, 0)`."""
    X = draw_numbers(600, 0)
    y = (X @ [1.0, -0.5, 0.3] + np.random.default_rng(1).normal(size=len(X)) > 0.5).astype(int)
    described = describe(KINDS[kind].fit(X, y))
    fields = tuple(Field(name, f"Field {name}", "", "number", (), -5.0, 5.0, False, "High value") for name in "abc")
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name="kinds",
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=fields,
        policy=policy,
        base_value=0.0,
        training=Training(kind, len(X), 0, float(y.mean()), 3, "data", "card", "commit", {}),
        metrics={"auc": 0.8, "gini": 0.6, "brier": 0.1, "acceptance_rate": 0.5},
        golden=Golden((), (), ()),
        bins=make_bins(fields, X),
        probability_bins=bin_numbers(described.probability(X)),
    )
    return export(described, contract, draw_reference(X, 0))


def draw_numbers(rows: int, seed: int) -> Matrix:
    """Applicants: float64, shape (rows, 3)."""
    return np.random.default_rng(seed).normal(size=(rows, 3)).round(3)
