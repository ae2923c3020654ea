"""The candidate models, as data: estimator, default settings and search space.

To add a model, add a row to CANDIDATES, and a reader to train/readers/classifiers.py if its estimator has none. The
default trees have 8 leaves, because only so small a tree has interventional reasons; the settings of a race (race.py)
go up to 31, and --max-leaves sets a number for all. The number of trees is limited, because the file grows with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import log2
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from model.policy import Points
from train.card import Card, CardField
from train.errors import import_optional
from train.preprocessing import blank_codes, monotonic_constraints, one_hot, scale_and_one_hot
from train.scorecard.classifier import ScorecardClassifier
from train.scorecard.fields import make_rules

Hyperparameters = dict[str, int | float]
"""Hyperparameters by the name of the estimator's argument."""


@dataclass(frozen=True, slots=True)
class Span:
    """The values that a setting may take, ends included; whole numbers if both ends are; `log`: on a log scale."""

    low: int | float
    high: int | float
    log: bool = False

    def clip(self, value: float) -> int | float:
        """The nearest value in the span, rounded if its ends are whole."""
        near = min(max(value, self.low), self.high)
        return round(near) if isinstance(self.low, int) and isinstance(self.high, int) else near


LEAVES = 8
"""The most leaves of a tree whose reasons are interventional; more are path-dependent (train/export)."""

RACED_LEAVES = 31
"""The most leaves of a tree in a race without --max-leaves."""

MAX_LEAVES = 256
"""The most that --max-leaves allows; the file grows with them."""

LEARNING_RATE = Span(0.015, 0.15, log=True)
TREES = Span(100, 600)
BOOSTING_TREES = Span(10, 1000)
MIN_LEAF_ROWS = Span(5, 200, log=True)
MIN_CHILD_WEIGHT = Span(0.5, 50.0, log=True)
COLUMN_SHARE = Span(0.1, 1.0)
L2 = Span(0.1, 200.0, log=True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try.

    `preprocess` makes the unfitted transformer, `estimator` the unfitted estimator with all arguments that are never
    tuned; both get the card's inputs in the order of the columns of X. Each name in `space` is one in `settings`, whose
    default lies within the span. A candidate that `requires` an optional library is tried only if it is named.
    `leaves`: the estimator's argument for the most leaves of a tree, or for their depth; '' if it has no trees.
    `race`: settings that race against the default ones (race.py), which they override, the preferred first. `nearby`:
    factors of the winner's settings; the settings that they give race against it, unless the default ones won. Both
    are for an estimator that stops early on given rows (staged.py).
    """

    name: str
    title: str
    preprocess: Callable[[list[CardField]], Any]
    estimator: Callable[[list[CardField], int], Any]
    settings: Hyperparameters
    space: dict[str, Span] = field(default_factory=dict)
    requires: str = ""
    leaves: str = ""
    race: tuple[Hyperparameters, ...] = ()
    nearby: tuple[dict[str, float], ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether it needs a library that requirements-train.txt doesn't list."""
        return bool(self.requires)

    def with_leaves(self, leaves: int | None) -> Candidate:
        """The candidate with trees of so many leaves, and a search from 8 to them; the same for None or without trees.

        The settings of its race have so many leaves too.
        """
        if leaves is None or not self.leaves:
            return self
        low, high = (LEAVES, leaves) if self.leaves != "depth" else (int(log2(LEAVES)), int(log2(leaves)))
        return replace(
            self,
            title=f"{self.title.split(',')[0]}, {leaves} leaves",
            settings=self.settings | {self.leaves: high},
            space=self.space | ({self.leaves: Span(low, high)} if low < high else {}),
            race=_distinct([one | {self.leaves: high} for one in self.race]),
            nearby=tuple(one for one in self.nearby if self.leaves not in one),
        )

    def with_card(self, card: Card) -> Candidate:
        """The candidate with what a card says of scorecards and their points; the same for any other."""
        if self.estimator is not make_scorecard:
            return self
        own = {"max_bins": card.scorecard.max_bins, "pairs": card.scorecard.pairs}
        estimator = partial(make_scorecard, names=tuple(card.inputs), scale=card.policy.points)
        return replace(self, estimator=estimator, settings=self.settings | own)

    def settings_nearby(self, settings: Hyperparameters) -> tuple[Hyperparameters, ...]:
        """Complete settings multiplied by each of the factors in `nearby`, within the spans; each once, no old ones."""
        spans = {self.leaves: Span(2, RACED_LEAVES)} | self.space
        moved = [settings | {name: spans[name].clip(settings[name] * by[name]) for name in by} for by in self.nearby]
        return tuple(one for one in _distinct(moved) if one != settings)

    def build(self, fields: list[CardField], seed: int, settings: Hyperparameters | None = None) -> Pipeline:
        """Its unfitted pipeline; `settings` override the defaults.

        Raises TrainingError if its library isn't installed.
        """
        estimator = self.estimator(fields, seed).set_params(**self.settings | (settings or {}))
        return Pipeline([("preprocess", self.preprocess(fields)), ("classify", estimator)])


def _distinct(settings: list[Hyperparameters]) -> tuple[Hyperparameters, ...]:
    return tuple(one for place, one in enumerate(settings) if one not in settings[:place])


def make_logistic(fields: list[CardField], seed: int) -> LogisticRegression:
    """Logistic regression."""
    return LogisticRegression(max_iter=2000, random_state=seed)


def make_scorecard(
    fields: list[CardField], seed: int, names: Sequence[str] = (), scale: Points | None = None
) -> ScorecardClassifier:
    """A scorecard whose points are on this scale, with the card's directions of risk and fixed bins."""
    return ScorecardClassifier(make_rules(fields, names), scale, random_state=seed)


def make_boosting(fields: list[CardField], seed: int) -> HistGradientBoostingClassifier:
    """scikit-learn's gradient boosting with the card's monotonic constraints.

    Without class weights, which would distort the probabilities.
    """
    return HistGradientBoostingClassifier(
        max_leaf_nodes=LEAVES, monotonic_cst=monotonic_constraints(fields), early_stopping=False, random_state=seed
    )


def make_lightgbm(fields: list[CardField], seed: int) -> Any:
    """LightGBM, deterministic."""
    return load_booster("lightgbm").LGBMClassifier(
        num_leaves=LEAVES,
        monotone_constraints=monotonic_constraints(fields),
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )


def make_xgboost(fields: list[CardField], seed: int) -> Any:
    """XGBoost with leaf-wise growth."""
    return load_booster("xgboost").XGBClassifier(
        max_leaves=LEAVES,
        max_depth=0,
        grow_policy="lossguide",
        tree_method="hist",
        monotone_constraints=tuple(monotonic_constraints(fields)),
        random_state=seed,
        n_jobs=1,
    )


def make_catboost(fields: list[CardField], seed: int) -> Any:
    """CatBoost: symmetric trees of depth 3, which have 8 leaves."""
    return load_booster("catboost").CatBoostClassifier(
        depth=int(log2(LEAVES)),
        monotone_constraints=monotonic_constraints(fields),
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


def load_booster(library: str) -> Any:
    """A boosting library; raises TrainingError saying how to install it."""
    return import_optional(library, "requirements/boosters.txt")


def make_race_settings(
    learning_rate: float, leaves: int, min_leaf_rows: int, column_share: float, l2: float
) -> Hyperparameters:
    """Settings of scikit-learn's boosting for a race, with the most trees; early stopping finds their number."""
    return {
        "learning_rate": learning_rate,
        "max_iter": int(BOOSTING_TREES.high),
        "max_leaf_nodes": leaves,
        "min_samples_leaf": min_leaf_rows,
        "max_features": column_share,
        "l2_regularization": l2,
    }


CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "logistic",
            "Logistic regression",
            scale_and_one_hot,
            make_logistic,
            {"C": 1.0},
            {"C": Span(1e-3, 1e2, log=True)},
        ),
        Candidate(
            "scorecard",
            "Scorecard",
            blank_codes,
            make_scorecard,
            {"max_bins": 8, "pairs": 0, "penalty": 100.0, "step_cost": 0.0},
            {"penalty": Span(5.0, 500.0, log=True), "step_cost": Span(0.0, 2.0)},
        ),
        Candidate(
            "boosting",
            "Boosting",
            one_hot,
            make_boosting,
            # A low learning rate, few columns a split and L2 regularization keep 300 small trees from overfitting.
            {
                "learning_rate": 0.05,
                "max_iter": 300,
                "min_samples_leaf": 20,
                "max_features": 0.3,
                "l2_regularization": 20.0,
                "max_leaf_nodes": LEAVES,
            },
            {
                "learning_rate": LEARNING_RATE,
                "max_iter": BOOSTING_TREES,
                "min_samples_leaf": MIN_LEAF_ROWS,
                "max_features": COLUMN_SHARE,
                "l2_regularization": L2,
            },
            leaves="max_leaf_nodes",
            race=(
                make_race_settings(0.1, 4, 20, 0.3, 20.0),
                make_race_settings(0.05, LEAVES, 20, 0.6, 1.0),
                make_race_settings(0.1, LEAVES, 5, 0.5, 5.0),
                make_race_settings(0.1, LEAVES, 20, 1.0, 1.0),
                make_race_settings(0.1, 16, 10, 0.5, 2.0),
                make_race_settings(0.1, RACED_LEAVES, 5, 0.5, 1.0),
                make_race_settings(0.1, RACED_LEAVES, 20, 1.0, 5.0),
                make_race_settings(0.05, RACED_LEAVES, 5, 0.3, 1.0),
            ),
            nearby=(
                {"learning_rate": 0.5},
                {"max_features": 0.6},
                {"max_features": 1.6},
                {"min_samples_leaf": 0.25},
                {"min_samples_leaf": 4.0},
                {"l2_regularization": 0.2},
                {"l2_regularization": 5.0},
            ),
        ),
        Candidate(
            "lightgbm",
            "LightGBM, 8 leaves",
            one_hot,
            make_lightgbm,
            {
                "learning_rate": 0.05,
                "n_estimators": 300,
                "min_child_samples": 20,
                "colsample_bytree": 0.3,
                "reg_lambda": 20.0,
            },
            {
                "learning_rate": LEARNING_RATE,
                "n_estimators": TREES,
                "min_child_samples": MIN_LEAF_ROWS,
                "colsample_bytree": COLUMN_SHARE,
                "reg_lambda": L2,
            },
            requires="lightgbm",
            leaves="num_leaves",
        ),
        Candidate(
            "xgboost",
            "XGBoost, 8 leaves",
            one_hot,
            make_xgboost,
            {
                "learning_rate": 0.05,
                "n_estimators": 300,
                "min_child_weight": 5.0,
                "colsample_bynode": 0.3,
                "reg_lambda": 5.0,
            },
            {
                "learning_rate": LEARNING_RATE,
                "n_estimators": TREES,
                "min_child_weight": MIN_CHILD_WEIGHT,
                "colsample_bynode": COLUMN_SHARE,
                "reg_lambda": L2,
            },
            requires="xgboost",
            leaves="max_leaves",
        ),
        Candidate(
            "catboost",
            "CatBoost, depth 3",
            one_hot,
            make_catboost,
            {"learning_rate": 0.05, "iterations": 600, "rsm": 0.3, "l2_leaf_reg": 5.0},
            {
                "learning_rate": Span(0.015, 0.3, log=True),
                "iterations": TREES,
                "rsm": COLUMN_SHARE,
                "l2_leaf_reg": L2,
            },
            requires="catboost",
            leaves="depth",
        ),
    )
}
