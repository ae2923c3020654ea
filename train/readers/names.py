"""Names and number of the columns that a fitted object takes, and the classifier inside it; whatever its library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

INNER = ("best_estimator_", "estimator_", "estimator")
"""Attributes of wrappers that are no more than the classifier in it: searches, thresholds, frozen estimators."""

WRAPPERS_OF_ONE = (
    *("SearchCV", "FixedThresholdClassifier", "TunedThresholdClassifierCV", "FrozenEstimator", "Scorecard"),
    "CorrectedClassifier",
)
"""Endings of their names."""


def find_classifier(fitted: Any) -> Any:
    """The classifier at the end of pipelines and of wrappers of one classifier."""
    if hasattr(fitted, "steps"):
        return find_classifier(fitted.steps[-1][1])
    if type(fitted).__name__.endswith(WRAPPERS_OF_ONE):
        return next(find_classifier(getattr(fitted, name)) for name in INNER if hasattr(fitted, name))
    return fitted


def is_sampler(step: Any) -> bool:
    """Whether a step only changes the training rows (imblearn's samplers), and does nothing to an applicant."""
    return hasattr(step, "fit_resample") and not hasattr(step, "transform")


def find_names(fitted: Any) -> tuple[str, ...]:
    """The names of the columns that an object was fitted on; () if it was a matrix."""
    for part in _first_parts(fitted):
        for read in NAMES:
            names = [str(name) for name in read(part)]
            if names and not _are_numbered(names):
                return tuple(names)
        # A pipeline of scikit-learn before 1.0 knows how many columns it takes, and only its first step their names.
        if count_own(part) is not None and not hasattr(part, "steps"):
            break
    return ()


def count_columns(fitted: Any) -> int:
    """The number of columns that an object was fitted on; raises ValueError if it doesn't know."""
    counts = [count for part in _first_parts(fitted) if (count := count_own(part)) is not None]
    if not counts:
        raise ValueError(f"this {type(fitted).__name__} doesn't know how many columns it takes; is it fitted?")
    return counts[0]


def count_own(part: Any) -> int | None:
    """The number of columns that a single object says it was fitted on."""
    for read in COUNTS:
        count = read(part)
        if count:  # a CatBoostClassifier read from a file has n_features_in_ = 0
            return int(count)
    return None


def _first_parts(fitted: Any) -> list[Any]:
    """The object itself, then the first parts of it that see its columns."""
    parts = [fitted]
    for part in parts:
        if hasattr(part, "steps"):
            parts.extend(step for _, step in part.steps if step is not None and step != "passthrough")
            break
        # A Scorecard of optbinning has its binning first.
        inner = [getattr(part, name) for name in ("binning_process_", *INNER) if hasattr(part, name)]
        parts.extend(one for one in inner[:1] if one is not None)
    return parts


def _are_numbered(names: list[str]) -> bool:
    """Whether names are those that libraries give to the columns of a matrix."""
    return any(names == [f"{start}{number}" for number in range(len(names))] for start in ("Column_", "", "f"))


def _attribute(name: str) -> Callable[[Any], Any]:
    """A reader of an attribute that may be missing, None, or a method without arguments."""

    def read(part: Any) -> Any:
        value: Any = getattr(part, name, None)
        value = value() if callable(value) else value
        return () if value is None else value

    return read


NAMES = tuple(
    map(
        _attribute,
        (
            "feature_names_in_",
            "feature_name_",
            "feature_name",
            "feature_names_",
            "feature_names",
            "_df_columns",
            "_feature_names_in",
            "variable_names",
        ),
    )
)
"""Where scikit-learn and XGBoost, LightGBM, CatBoost, boosters without classifier, a ColumnTransformer of scikit-learn
before 1.0, and optbinning keep names.
"""


def _length(name: str) -> Callable[[Any], int]:
    """A reader of the number of columns from an attribute with one entry for each; of an array its last dimension."""

    def read(part: Any) -> int:
        value = _attribute(name)(part)
        return np.shape(value)[-1] if isinstance(value, np.ndarray) else len(value)

    return read


COUNTS = (
    *map(_attribute, ("n_features_in_", "num_feature", "num_features")),
    _length("feature_names_"),
    _length("variable_names"),  # optbinning
    # scikit-learn before 0.24
    *map(_attribute, ("n_features_", "_n_features")),
    *map(_length, ("scale_", "mean_", "min_", "statistics_", "coef_", "categories_")),
)
"""Where they keep the number of columns."""
