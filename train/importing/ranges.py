"""What a fitted model remembers of the values that its columns had in training: limits, a typical value, a spread.

Limits become the bounds of the card, which must never warn of a value that the model was fitted on. So they are taken
only where they are known to hold, because a part of the model keeps minimum and maximum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from model.contract import MAX_MAGNITUDE
from train.fitted.model import FittedModel, Value
from train.fitted.steps import Select
from train.fitted.trees import Trees, collect_splits
from train.readers.columns import Column, is_gap, plain
from train.readers.names import (
    INNER,
    WRAPPERS_OF_ONE,
    count_columns,
    count_own,
    find_classifier,
    find_names,
    is_sampler,
)
from train.readers.transformers import find_places


@dataclass(frozen=True, slots=True)
class Range:
    """Of one column: no value in training was outside `minimum` and `maximum`; None where unknown.

    `center`: the mean, or what an imputer fills in. `deviation`: the standard deviation.
    """

    minimum: float | None = None
    maximum: float | None = None
    center: Value | None = None
    deviation: float | None = None

    def joined(self, other: Range) -> Range:
        """What both know; the limits of the other take precedence, and it comes later in the pipeline."""
        known = {name: value for name, value in asdict(other).items() if value is not None}
        return replace(self, **known)

    def usual(self, deviations: float = 3.0) -> Range:
        """With limits that most values are in: within some standard deviations of the mean where that is known."""
        if not isinstance(self.center, int | float) or self.deviation is None:
            return self
        low, high = self.center - deviations * self.deviation, self.center + deviations * self.deviation
        return replace(
            self,
            minimum=low if self.minimum is None else max(low, self.minimum),
            maximum=high if self.maximum is None else min(high, self.maximum),
        )


def remember_ranges(fitted: Any) -> tuple[Range, ...]:
    """For each column that a fitted object takes what its parts remember of it.

    Of several classifiers with steps of their own (folds, votes) each has seen some of the values.
    """
    names = find_names(fitted)
    columns = tuple(Column(name, None) for name in names or ("",) * count_columns(fitted))
    found = [_remember(part, columns) for part in _list_parts(fitted)]
    return tuple(_unite(own) for own in zip(*found, strict=True))


def _list_parts(fitted: Any) -> list[Any]:
    """The pipelines or classifiers that see the columns themselves."""
    kind = type(fitted).__name__
    if kind.endswith(WRAPPERS_OF_ONE):
        inner = next(getattr(fitted, name) for name in INNER if hasattr(fitted, name))
        return _list_parts(inner)
    if kind == "CalibratedClassifierCV":
        return [part for fold in fitted.calibrated_classifiers_ for part in _list_parts(fold.estimator)]
    if kind == "VotingClassifier":
        return [part for one in fitted.estimators_ for part in _list_parts(one)]
    return [fitted]


def _remember(fitted: Any, columns: tuple[Column, ...]) -> list[Range]:
    ranges = [Range()] * len(columns)
    places: Places = tuple(range(len(columns)))
    if hasattr(fitted, "steps"):
        for _, step in fitted.steps[:-1]:
            places, columns = _walk(step, places, columns, ranges)
    _note_trees(find_classifier(fitted), places, ranges)
    return ranges


def _unite(ranges: tuple[Range, ...]) -> Range:
    """Limits that hold for what any has seen, and the mean of centers and deviations that are numbers."""
    if len(ranges) == 1:
        return ranges[0]
    lows, highs, centers, deviations = (
        [value for value in (getattr(one, name) for one in ranges) if value is not None]
        for name in ("minimum", "maximum", "center", "deviation")
    )
    is_numbers = all(isinstance(center, int | float) for center in centers)
    mean = float(np.mean(centers)) if centers and is_numbers else next(iter(centers), None)
    spread = float(np.mean(deviations)) if deviations else None
    return Range(min(lows, default=None), max(highs, default=None), mean, spread)


Places = tuple["int | None", ...]
"""For each column at some step of a pipeline the number of the input that it still is, None once it is computed."""


def _walk(
    step: Any, places: Places, columns: tuple[Column, ...], ranges: list[Range]
) -> tuple[Places, tuple[Column, ...]]:
    """Note what a transformer remembers; the places and columns after it."""
    kind = type(step).__name__
    if step is None or isinstance(step, str) or is_sampler(step):
        return places, columns
    if kind == "Pipeline":
        for _, inner in step.steps:
            places, columns = _walk(inner, places, columns, ranges)
        return places, columns
    if kind == "ColumnTransformer":
        for _, inner, chosen in step.transformers_:
            own = find_places(chosen, columns)
            _walk(inner, tuple(places[at] for at in own), tuple(columns[at] for at in own), ranges)
        return (), ()
    if kind == "Partly":
        after = list(places)
        _walk(step.step, tuple(places[at] for at in step.places), tuple(columns[at] for at in step.places), ranges)
        for at in step.places:
            after[at] = None
        return tuple(after), columns
    if kind in READERS and len(places) == count_own(step):
        for at, place in enumerate(places):
            if place is not None:
                ranges[place] = ranges[place].joined(READERS[kind](step, at))
    # Not from get_feature_names_out, which scikit-learn before 1.1 doesn't have.
    if kind == "SimpleImputer" and not step.add_indicator and not any(map(is_gap, step.statistics_)):
        return places, columns
    return (), ()


def _read_standard(step: Any, at: int) -> Range:
    """Mean and standard deviation tell no limits, but for values of 0 and 1 alone, whose variance is mean · (1 − mean).

    No other values between 0 and 1 have so large a variance.
    """
    if step.mean_ is None or step.var_ is None:
        return Range()
    mean, variance = float(step.mean_[at]), float(step.var_[at])
    is_binary = 0 <= mean <= 1 and math.isclose(variance, mean * (1 - mean), rel_tol=1e-9, abs_tol=1e-15)
    low, high = (0.0, 1.0) if is_binary else (None, None)
    return Range(low, high, mean, math.sqrt(variance))


def _read_min_max(step: Any, at: int) -> Range:
    return Range(float(step.data_min_[at]), float(step.data_max_[at]))


def _read_max_abs(step: Any, at: int) -> Range:
    return Range(-float(step.max_abs_[at]), float(step.max_abs_[at]))


def _read_categories(step: Any, at: int) -> Range:
    numbers = [one for one in np.asarray(step.categories_[at]).tolist() if isinstance(one, int | float)]
    present = [float(one) for one in numbers if not isinstance(one, bool) and not math.isnan(one)]
    return Range(min(present), max(present)) if present else Range()


def _read_imputer(step: Any, at: int) -> Range:
    value = step.statistics_[at]
    return Range() if value is None or value != value else Range(center=plain(value))


READERS: dict[str, Callable[[Any, int], Range]] = {
    "StandardScaler": _read_standard,
    "MinMaxScaler": _read_min_max,
    "MaxAbsScaler": _read_max_abs,
    "RobustScaler": lambda step, at: Range() if step.center_ is None else Range(center=float(step.center_[at])),
    "OneHotEncoder": _read_categories,
    "OrdinalEncoder": _read_categories,
    "SimpleImputer": _read_imputer,
}
"""Name of the transformer → reader of what it remembers of its column of a number."""


def _note_trees(classifier: Any, places: Places, ranges: list[Range]) -> None:
    """LightGBM keeps the smallest and the largest value of each column that enters it."""
    booster = getattr(classifier, "booster_", classifier)
    if not hasattr(booster, "model_to_string"):
        return
    header = booster.model_to_string(num_iteration=1).split("\nfeature_infos=")[1].split("\n")[0].split(" ")
    for place, text in zip(places, header, strict=False):
        if place is not None and text.startswith("["):
            low, high = (float(end) for end in text[1:-1].split(":"))
            ranges[place] = ranges[place].joined(Range(low, high))


def merge_limits(known: Range, values: Any) -> Range:
    """The range with limits that also hold for these values, of which NaN are missing."""
    present = np.asarray(values, dtype=np.float64)
    present = present[~np.isnan(present)]
    if not len(present):
        return known
    low, high = float(present.min()), float(present.max())
    return replace(
        known,
        minimum=low if known.minimum is None else min(low, known.minimum),
        maximum=high if known.maximum is None else max(high, known.maximum),
    )


def usual_ranges(described: FittedModel, ranges: Sequence[Range]) -> list[Range]:
    """Limits around most values of each input; where nothing is remembered, around the splits of trees on it."""
    found = [known.usual() for known in ranges]
    for member in described.members:
        if not isinstance(member.function, Trees) or not all(isinstance(step, Select) for step in member.steps):
            continue
        owners = described.owners(member)
        for split in collect_splits(member.function):
            (owner,) = owners[split.column]
            if ranges[owner].minimum is None and abs(split.threshold) < MAX_MAGNITUDE:
                found[owner] = merge_limits(found[owner], [split.threshold * 0.9, split.threshold * 1.1])
    return found
