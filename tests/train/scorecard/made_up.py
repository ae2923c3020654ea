"""Made-up applicants and small scorecards for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from train.card import CardField
from train.fitted.steps import Matrix
from train.scorecard.bins import Places
from train.scorecard.classifier import ScorecardClassifier
from train.scorecard.fields import FieldRule

RULES = (
    FieldRule("income", direction=-1),
    FieldRule("age"),
    FieldRule("home", n_levels=4),
    FieldRule("debt", direction=1),
)


def draw(rows: int, seed: int = 0, rules: Sequence[FieldRule] = RULES) -> tuple[Matrix, Places]:
    """Applicants with a tenth of the cells missing, and outcomes that depend on all fields and on a pair."""
    random = np.random.default_rng(seed)
    columns = [
        random.integers(0, rule.n_levels, rows) if rule.n_levels else random.normal(50, 20, rows).round(1)
        for rule in rules
    ]
    X = np.column_stack(columns).astype(np.float64)
    score = sum((rule.direction or 0.5) * (x - x.mean()) / x.std() for rule, x in zip(rules, X.T, strict=True))
    score += (X[:, 0] > 60) * (X[:, -1] > 60)
    y = (score + random.logistic(size=rows) > 1).astype(np.int64)
    X[random.random(X.shape) < 0.1] = np.nan
    return X, y


def fit(rows: int = 600, seed: int = 0, pairs: int = 1, rounds: int = 40) -> ScorecardClassifier:
    """A small scorecard of such applicants."""
    classifier = ScorecardClassifier(RULES, pairs=pairs, rounds=rounds)
    return classifier.fit(*draw(rows, seed))


FIELDS = [
    CardField("Income", "number", nullable=True, risk="decreases", reason="Income"),
    CardField("Age", "number", nullable=True, reason="Age"),
    CardField("Home", "category", levels=("own", "rent", "free", "other"), nullable=True, reason="Home"),
    CardField("Debt", "number", nullable=True, risk="increases", reason="Debt", missing=(-1.0,)),
]
