"""A model that was fitted elsewhere: read from its files, checked, and described by a card to complete.

skops files are loaded as they are, pickles only when trusted, because loading a pickle runs the code inside it.
"""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import joblib
import msgspec
import numpy as np
import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException

from train.card import Card, CardDataset, CardField
from train.card_inference import round_out
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.columns import map_columns_to_fields
from train.export.learners import read_classifier

BOUND_DEVIATIONS = 5
"""Bounds inferred from a scaler are mean ± this many standard deviations, rounded outwards."""


def read_object(path: Path, *, is_trusted: bool) -> tuple[Any, str]:
    """The object in a file, and scikit-learn's warning about the version it was saved with ('' if there is none).

    Raises TrainingError if the file is absent, can't be read, or is a pickle that isn't trusted.
    """
    if not path.is_file():
        raise TrainingError(f"can't read the model {path}: no such file; check the path")
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
        except (
            pickle.UnpicklingError,
            BadZipFile,
            EOFError,
            ImportError,
            AttributeError,
            KeyError,
            ValueError,
            OSError,
        ) as error:
            kind = type(error).__name__
            raise TrainingError(f"{path} can't be read as a fitted model: {kind}: {error}; save it again") from error
    messages = [str(warning.message) for warning in caught if issubclass(warning.category, InconsistentVersionWarning)]
    return fitted, messages[0].splitlines()[0] if messages else ""


def assemble_pipeline(parts: list[Any]) -> Pipeline:
    """One fitted Pipeline from a pipeline, a classifier, or a scaler and a classifier.

    Raises TrainingError if it can't be imported: its last step gives no probabilities, its classes aren't 0 (good) and
    1 (default), or a step has no exact export.
    """
    if len(parts) == 1 and isinstance(parts[0], Pipeline):
        pipeline = parts[0]
    else:
        names = ["scale", "classify"][-len(parts) :]
        pipeline = Pipeline(list(zip(names, parts, strict=True)))
    classifier = pipeline[-1]
    if not hasattr(classifier, "predict_proba"):
        raise TrainingError(
            f"the last step is a {type(classifier).__name__}, expected a fitted classifier that gives probabilities"
        )
    classes = [str(value).lower() for value in getattr(classifier, "classes_", [])]
    if classes not in (["0", "1"], ["0.0", "1.0"], ["false", "true"]):
        raise TrainingError(
            f"the model's classes are {classes or 'unknown'}, expected 0 (good) and 1 (default); "
            "fit it on a target with these values"
        )
    try:
        map_columns_to_fields(pipeline)
        read_classifier(classifier)
    except ValueError as error:
        raise TrainingError(f"the model can't be imported: {error}") from error
    return pipeline


def make_card(name: str, pipeline: Pipeline, path: Path) -> Card:
    """A card to complete, with the names and bounds that the fitted steps remember."""
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
        dataset = msgspec.convert({"name": name, "path": str(path), "target": "", "default": 1}, CardDataset)
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
