"""What the object in a model file holds: a classifier, the transformers before it, names, a threshold.

A pipeline, a classifier, or what people save side by side in a dict or list: {"model": …, "scaler": …, "threshold": …,
"columns": […]}. Parts are told apart by what they can do, and only then by their key; what can be meant in two ways is
asked, and what isn't used is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from train.errors import TrainingError, shorten
from train.importing.partly import Partly

NAME_KEYS = re.compile(r"col|feature|field|input|variable|predictor|^names?$", re.IGNORECASE)
THRESHOLD_KEYS = re.compile(r"thresh|cut_?-?off", re.IGNORECASE)
TARGET_KEYS = re.compile(r"target|label|class|^le$|^y", re.IGNORECASE)
"""Keys of the lists of column names, of the threshold, and of the encoder of the target."""

ORDER = (r"Encoder|Partly", r"Imputer", r"Scaler|PowerTransformer|QuantileTransformer")
"""Names of transformers in the order in which training code applies them; any other comes after these."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """`fitted`: a pipeline or classifier. `names`: of the columns that enter it, () where the file doesn't tell.

    `threshold`: a literal beside the model. `classes`: the words for the model's two classes, where an encoder of the
    target is beside it. `remarks`: what was found and how it is understood.
    """

    fitted: Any
    names: tuple[str, ...] = ()
    threshold: float | None = None
    classes: tuple[Any, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Parts:
    """The parts of a bundle by what they are, each with its key."""

    classifiers: dict[str, Any] = field(default_factory=dict)
    transformers: dict[str, Any] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    classes: tuple[Any, ...] = ()
    ignored: list[str] = field(default_factory=list)
    is_ordered: bool = False


def open_bundle(objects: dict[str, Any], key: str | None = None) -> Bundle:
    """Arrange what was read from the files, by option; `key`: which of several classifiers is meant.

    Raises TrainingError if there is no classifier, there are several, or the parts don't fit together.
    """
    if len(objects) == 1 and is_classifier(alone := next(iter(objects.values()))):
        return Bundle(alone)
    parts = _Parts()
    for name, value in _flatten(objects, parts):
        _sort_in(parts, name, value)
    name, classifier = _choose(parts, key)
    fitted = _arrange(parts, name, classifier)
    thresholds = set(parts.thresholds.values())
    if len(thresholds) > 1:
        found = " and ".join(f"{one} = {value:g}" for one, value in parts.thresholds.items())
        raise TrainingError(f"the file holds several thresholds, {found}; say which: --threshold P")
    width = count_inputs(fitted)
    names = next((names for names in parts.names.values() if len(names) == width), ())
    return Bundle(
        fitted,
        names,
        thresholds.pop() if thresholds else None,
        parts.classes,
        tuple(_remarks(parts, name, fitted, names)),
    )


def is_classifier(value: Any) -> bool:
    """Whether an object gives probabilities, or is a booster of LightGBM or XGBoost."""
    return not isinstance(value, type) and (hasattr(value, "predict_proba") or type(value).__name__ == "Booster")


def count_inputs(fitted: Any) -> int:
    """The number of columns that an object takes; 0 if it doesn't say."""
    for attribute in ("n_features_in_", "num_features", "num_feature"):
        count = getattr(fitted, attribute, None)
        if count is not None:
            return int(count() if callable(count) else count)
    return len(getattr(fitted, "feature_names_", None) or ())


def _flatten(objects: dict[str, Any], parts: _Parts) -> Iterator[tuple[str, Any]]:
    """Key and value of each part, also of dicts and lists in a dict; transformers by column stay one part."""
    for key, value in objects.items():
        if isinstance(value, dict) and not _is_by_column(value):
            yield from _flatten({str(name): part for name, part in value.items()}, parts)
        elif isinstance(value, tuple | list) and any(_is_part(one) for one in value):
            parts.is_ordered = True
            yield from _flatten({f"item {number}": one for number, one in enumerate(value, 1)}, parts)
        else:
            yield key, value


def _is_part(value: Any) -> bool:
    return is_classifier(value) or hasattr(value, "transform") or isinstance(value, dict)


def _is_by_column(value: dict[Any, Any]) -> bool:
    """Whether a dict holds a transformer for each of some columns."""
    return (
        bool(value)
        and all(
            hasattr(one, "transform") and not is_classifier(one) and getattr(one, "n_features_in_", 1) == 1
            for one in value.values()
        )
        and (len(value) > 1 or type(next(iter(value.values()))).__name__ == "LabelEncoder")
    )


def _sort_in(parts: _Parts, key: str, value: Any) -> None:
    if is_classifier(value):
        parts.classifiers[key] = value
    elif type(value).__name__ == "LabelEncoder":
        if len(value.classes_) != 2 or not TARGET_KEYS.search(key):
            raise TrainingError(
                f"the file holds a LabelEncoder under {key!r}, and which column it encodes can't be told; "
                "save such encoders as a dict of column → encoder"
            )
        parts.classes = tuple(value.classes_.tolist())
    elif isinstance(value, dict) or hasattr(value, "transform"):
        parts.transformers[key] = value
    elif isinstance(value, Real) and not isinstance(value, bool | np.bool_) and THRESHOLD_KEYS.search(key):
        if 0 < float(value) < 1:
            parts.thresholds[key] = float(value)
        else:
            parts.ignored.append(f"{key} = {value}, which is no probability")
    elif (names := _read_names(value)) and NAME_KEYS.search(key):
        parts.names[key] = names
    elif isinstance(value, Real | str | bytes | Iterable) or value is None:
        parts.ignored.append(key)
    else:
        last = value.steps[-1][1] if getattr(value, "steps", None) else value
        parts.ignored.append(f"{key} ({type(last).__name__})")


def _read_names(value: Any) -> tuple[str, ...]:
    """A list of texts, () for anything else."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) != 1:
        return ()
    names = tuple(value)
    return tuple(str(name) for name in names) if all(isinstance(name, str) for name in names) else ()


def _choose(parts: _Parts, key: str | None) -> tuple[str, Any]:
    """The classifier and its key; raises TrainingError if there isn't exactly one, or none of the stated key."""
    names = list(parts.classifiers)
    if key is not None:
        if key not in names:
            raise TrainingError(f"the file has no classifier {key!r}; its classifiers are: {shorten(names) or 'none'}")
        return key, parts.classifiers[key]
    if len(names) > 1:
        choices = " or ".join(f"--key {name!r}" for name in names)
        raise TrainingError(f"the file holds {len(names)} classifiers: {shorten(names)}; say which: {choices}")
    if not names:
        others = [f"{name!r}: {type(one).__name__}" for name, one in parts.transformers.items()] + parts.ignored
        raise TrainingError(
            f"the file holds no classifier that gives probabilities, but {shorten(others) or 'nothing'}; "
            "expected a fitted pipeline or classifier with predict_proba"
        )
    return names[0], parts.classifiers[names[0]]


def _arrange(parts: _Parts, key: str, classifier: Any) -> Any:
    """One pipeline of the transformers and the classifier; raises TrainingError where they don't fit together."""
    inner = [step for _, step in getattr(classifier, "steps", [])]
    # A transformer that is also a step of the pipeline is saved twice, and applied once.
    transformers = {name: one for name, one in parts.transformers.items() if not any(one is step for step in inner)}
    if not transformers:
        return classifier
    if len(inner) > 1:
        raise TrainingError(
            f"the file holds the pipeline {key!r} and beside it {shorten([repr(name) for name in transformers])}; "
            "whether its input is transformed before can't be told: save one pipeline that takes the plain fields"
        )
    ordered = list(transformers.items())
    if not parts.is_ordered:
        ordered.sort(key=lambda item: _rank(item[1]))
    width = count_inputs(ordered[0][1]) if not isinstance(ordered[0][1], dict) else -1
    for _, one in ordered:
        width = _count_outputs(one, width)
    if width == count_inputs(classifier):
        return Pipeline([*ordered, (key, classifier)])
    return Pipeline([*_place(parts, ordered, key, classifier), (key, classifier)])


def _rank(transformer: Any) -> int:
    name = "LabelEncoder" if isinstance(transformer, dict) else type(transformer).__name__
    return next((rank for rank, pattern in enumerate(ORDER) if re.search(pattern, name)), len(ORDER))


def _count_outputs(transformer: Any, width: int) -> int:
    """How many columns a transformer makes of `width`; −1 if it doesn't take so many."""
    if isinstance(transformer, dict) or count_inputs(transformer) != width:
        return -1
    try:
        return len(transformer.get_feature_names_out())
    except (AttributeError, ValueError):
        return width


def _place(parts: _Parts, ordered: list[tuple[str, Any]], key: str, classifier: Any) -> list[tuple[str, Partly]]:
    """Each transformer at the places of its own columns among the classifier's; raises TrainingError if unknown."""
    width = count_inputs(classifier)
    columns = tuple(map(str, getattr(classifier, "feature_names_in_", getattr(classifier, "feature_name_", ()))))
    columns = columns or next((names for names in parts.names.values() if len(names) == width), ())
    placed = []
    for name, one in ordered:
        if isinstance(one, dict):
            chosen: list[tuple[tuple[str, ...], Any]] = [((str(column),), step) for column, step in one.items()]
        else:
            count = count_inputs(one)
            own = tuple(map(str, getattr(one, "feature_names_in_", ())))
            own = own or next((names for names in parts.names.values() if len(names) == count != width), ())
            own = own or (columns if count == width else ())
            chosen = [(own, one)]
        for own, step in chosen:
            if not own or not set(own) <= set(columns):
                raise TrainingError(
                    f"the file holds {key!r}, which takes {width} columns, and {name!r} ({type(step).__name__}), which "
                    f"takes {count_inputs(step) or 1}; which of them can't be told: save one pipeline that takes the "
                    "plain fields"
                )
            places = tuple(columns.index(column) for column in own)
            placed.append((f"{name} {own[0]}" if isinstance(one, dict) else name, Partly(step, places, columns)))
    return placed


def _remarks(parts: _Parts, key: str, fitted: Any, names: tuple[str, ...]) -> Iterator[str]:
    """What is taken of the file, and what isn't."""
    used = [name for name, _ in fitted.steps] if fitted is not parts.classifiers[key] else [key]
    yield f"taken from the file, in this order: {' → '.join(used)}"
    for name, known in parts.names.items():
        if known is names or known == names:
            yield f"the names of the fields are those under {name!r}"
            break
    for name, value in parts.thresholds.items():
        yield f"threshold from the file: {name} = {value:g}"
    if parts.classes:
        yield f"the classes are named by the file's encoder: {parts.classes[0]!r} and {parts.classes[1]!r}"
    if parts.ignored:
        yield f"not used: {shorten(parts.ignored, 12)}"
