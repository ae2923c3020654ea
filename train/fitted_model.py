"""A model that was fitted elsewhere: read from its files, checked, and described by a card to complete.

skops files are loaded as they are, pickles only when trusted, because loading a pickle runs the code inside it.
"""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException

from train.card import Card, CardDataset, CardField, CardValue
from train.card_inference import round_out
from train.dataset import Matrix
from train.errors import TrainingError, first_lines, shorten
from train.export.columns import map_columns_to_fields
from train.export.learners import read_classifier
from train.export.swapped_classes import SwappedClasses
from train.target import find_default, is_same

BOUND_DEVIATIONS = 5
"""Bounds inferred from a scaler are mean ± this many standard deviations, rounded outwards."""


def read_object(path: Path, *, is_trusted: bool) -> tuple[Any, str]:
    """The object in a file, and scikit-learn's warning about the version it was saved with ('' if there is none).

    Raises TrainingError if the file is absent, can't be read, or is a pickle that isn't trusted.
    """
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "no such file"
        raise TrainingError(f"can't read the model {path}: {what}; give the path of a .skops, .joblib or .pkl file")
    if path.suffix != ".skops" and not is_trusted:
        raise TrainingError(
            f"{path} is a pickle, and loading a pickle runs the code inside it; "
            "if you trust its source, add --trust, otherwise have it saved with skops"
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = skops.io.load(path, trusted=[]) if path.suffix == ".skops" else joblib.load(path)
        except UntrustedTypesFoundException as error:
            raise TrainingError(f"{path} holds types that skops doesn't trust: {error}") from error
        # A pickle is a program, and the libraries that its objects belong to raise what they like.
        except Exception as error:
            fault = f"{type(error).__name__}: {first_lines(error)}"
            raise TrainingError(f"{path} can't be read as a fitted model: {fault}; save it again") from error
    messages = [str(warning.message) for warning in caught if issubclass(warning.category, InconsistentVersionWarning)]
    return fitted, messages[0].splitlines()[0] if messages else ""


def assemble_pipeline(parts: list[Any]) -> Pipeline:
    """One fitted Pipeline from a pipeline, a classifier, or a scaler and a classifier.

    Raises TrainingError if it can't be imported: its last step gives no probabilities of two classes, or a step has no
    exact export.
    """
    if len(parts) == 1 and isinstance(parts[0], Pipeline):
        pipeline = parts[0]
    else:
        names = ["scale", "classify"][-len(parts) :]
        pipeline = Pipeline(list(zip(names, parts, strict=True)))
    try:
        _check(pipeline)
    except ValueError as error:
        raise TrainingError(f"the model can't be imported: {error}") from error
    # Objects that are incomplete or of another version of their library fail in any way.
    except Exception as error:
        fault = f"{type(error).__name__}: {first_lines(error)}"
        raise TrainingError(
            f"the model can't be imported: {fault}; check that it is fitted, and save it again"
        ) from error
    return pipeline


def _check(pipeline: Pipeline) -> None:
    """Raise ValueError for a pipeline that has no exact export, and whatever one that can't predict raises."""
    classifier = pipeline.steps[-1][1] if pipeline.steps else None
    if not hasattr(classifier, "predict_proba"):
        kind = type(classifier).__name__
        raise ValueError(f"its last step is a {kind}, expected a fitted classifier that gives probabilities")
    classes = read_classes(classifier)
    if len(classes) != 2:
        found = f": {shorten([repr(value) for value in classes])}" if classes else " because it isn't fitted"
        raise ValueError(f"it has {len(classes)} classes{found}; expected two, one for good and one for default")
    map_columns_to_fields(pipeline)
    read_classifier(classifier)
    pipeline.predict_proba(np.zeros((1, pipeline.n_features_in_)))


def read_classes(classifier: Any) -> list[CardValue]:
    """The classes of a fitted classifier as values of a card, in the order of its probabilities."""
    values = np.ravel(getattr(classifier, "classes_", [])).tolist()
    return [value if isinstance(value, str | int | float) else str(value) for value in values]


def choose_default(classes: list[CardValue], given: str | None, carded: CardValue | None) -> CardValue:
    """Which of two classes means default: the given one, else the card's, else the one that everybody reads so.

    Raises TrainingError if the given one isn't a class, or nothing tells.
    """
    for stated in (given, carded):
        for value in classes:
            if stated is not None and _is_class(value, stated):
                return value
        if stated is not None and stated is given:
            raise TrainingError(f"--default {given!r} is no class of the model; its classes are: {_list(classes)}")
    texts = [str(value) for value in classes]
    found = find_default(texts)
    if found is None:
        choices = " or ".join(f"--default {shlex.quote(text)}" for text in texts)
        raise TrainingError(
            f"the model's classes are {_list(classes)}, and which of them means default can't be told; "
            f"say which: {choices}"
        )
    return classes[texts.index(found)]


def _is_class(value: CardValue, stated: CardValue) -> bool:
    if isinstance(value, bool):
        return str(stated).lower() in (str(value).lower(), str(int(value)))
    return is_same(str(value), stated)


def _list(classes: list[CardValue]) -> str:
    return " and ".join(repr(value) for value in classes)


def put_default_second(pipeline: Pipeline, default: CardValue) -> Pipeline:
    """The same pipeline with the class that means default as its second, whose probability is column 1."""
    name, classifier = pipeline.steps[-1]
    if read_classes(classifier)[1] == default:
        return pipeline
    return Pipeline([*pipeline.steps[:-1], (name, SwappedClasses(classifier))])


def make_card(name: str, pipeline: Pipeline, path: Path, default: CardValue) -> Card:
    """A card to complete, with the names and bounds that the fitted steps remember; `default`: the model's class."""
    n_fields = pipeline.n_features_in_
    names = [str(known) for known in getattr(pipeline, "feature_names_in_", [])]
    names = names or [f"field_{number:0{len(str(n_fields))}}" for number in range(1, n_fields + 1)]
    scaler = _find_input_step(pipeline, StandardScaler)
    nullable = _accepts_missing(pipeline)
    fields = {}
    for column, field in enumerate(names):
        minimum = maximum = None
        if scaler is not None and scaler.mean_ is not None and scaler.scale_ is not None:
            mean, reach = float(scaler.mean_[column]), BOUND_DEVIATIONS * float(scaler.scale_[column])
            minimum, maximum = round_out(mean - reach, down=True), round_out(mean + reach, down=False)
        fields[field] = CardField(
            label=field,
            kind="number",
            minimum=minimum,
            maximum=maximum,
            nullable=nullable,
            reason=f"Value of {field}",
        )
    try:
        dataset = msgspec.convert({"name": name, "path": str(path), "target": "", "default": default}, CardDataset)
    except msgspec.ValidationError as error:
        raise TrainingError(f"--name {name!r} can't be used: {error}") from error
    return Card(dataset, fields)


def mean_applicant(pipeline: Pipeline) -> Matrix:
    """The mean applicant that a scaler or an imputer remembers, float64, shape (1, n_fields).

    For a linear model this reference gives the same contributions as the whole population it is the mean of.
    """
    for kind, attribute in ((StandardScaler, "mean_"), (SimpleImputer, "statistics_")):
        step = _find_input_step(pipeline, kind)
        if step is not None and getattr(step, attribute) is not None:
            return np.asarray(getattr(step, attribute), dtype=np.float64).reshape(1, -1)
    raise TrainingError(
        "the model has no scaler or imputer that remembers a mean applicant, which contributions are relative to; "
        "give a table of applicants: --reference FILE.csv"
    )


def _find_input_step(pipeline: Pipeline, kind: type) -> Any:
    """The first step of a type whose columns are the pipeline's own inputs, or None."""
    for _, step in pipeline.steps[:-1]:
        if isinstance(step, kind):
            return step
        if not isinstance(step, SimpleImputer | StandardScaler):
            return None
    return None


def _accepts_missing(pipeline: Pipeline) -> bool:
    try:
        probability = pipeline.predict_proba(np.full((1, pipeline.n_features_in_), np.nan))
    except ValueError:
        return False
    return bool(np.isfinite(probability).all())
