"""`python -m train import`: turn a model that was fitted elsewhere into the same artifact, exact and with reasons.

Without data nothing is measured: the artifact has no metrics, and its contributions compare with the mean
applicant that the model's own scaler remembers, unless --reference gives a table of applicants.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import structs
from rich.console import Console
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.contract import Training
from model.loading import load_model
from train.bins import bin_numbers, make_bins
from train.card import Card, CardField, Dataset, check_card, format_card, read_card
from train.dataset import Matrix, encode_field
from train.describe import describe
from train.errors import TrainingError
from train.export import draw_reference, export
from train.export.columns import players_of
from train.export.golden import draw_applicants
from train.export.learners import read_classifier
from train.files import inferred_path, write_whole
from train.fitted import read_fitted
from train.infer import round_out
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.table import read_table

DEVIATIONS = 5
"""A card made from a scaler has the bounds mean ± this many standard deviations, rounded outwards."""

PROVEN_ROWS = 1_000
"""Rows drawn within the bounds that stand in for the data in the proof."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train import",
        description="Turn a fitted model into model.onnx, with reasons, golden rows and a card to complete.",
    )
    parser.add_argument("--pipeline", type=Path, metavar="FILE", help="a fitted Pipeline: .skops, .joblib or .pkl")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a fitted classifier alone")
    parser.add_argument("--scaler", type=Path, metavar="FILE", help="with --model: the fitted scaler before it")
    parser.add_argument(
        "--trust", action="store_true", help="load pickles, which run the code in them: only from a source you know"
    )
    parser.add_argument("--card", type=Path, metavar="CARD", help="the completed card of an earlier import")
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="CSV",
        help="applicants to compare contributions (and by drift, new applicants) with",
    )
    parser.add_argument("--name", default="imported", help="name of the model, default: imported")
    parser.add_argument("--out", type=Path, default=Path("artifacts"), metavar="DIR", help="default: artifacts")
    parser.add_argument("--seed", type=int, default=0, help="of golden rows and proof; default: 0")
    given = parser.parse_args(arguments)
    if (given.pipeline is None) == (given.model is None):
        parser.error("give either --pipeline FILE, or --model FILE and perhaps --scaler FILE")
    if given.scaler is not None and given.model is None:
        parser.error("--scaler goes with --model")
    return given


def run(given: argparse.Namespace, console: Console) -> None:
    """Import as asked and write artifact and card; raises TrainingError."""
    # Fitted on a table with names, asked with a matrix of the same columns: that is meant.
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    paths = [path for path in (given.scaler, given.model, given.pipeline) if path is not None]
    parts, remarks = [], set()
    for path in paths:
        fitted, remark = read_fitted(path, is_trusted=given.trust)
        parts.append(fitted)
        remarks.add(remark)
    for remark in sorted(remarks - {""}):
        console.print(f"note: {remark}", style="yellow", markup=False)
    pipeline = assemble(parts)
    check_classes(pipeline)
    check_steps(pipeline)

    card = read_card(given.card) if given.card else make_card(given.name, pipeline, paths[-1])
    check_card(card)
    if len(card.inputs) != pipeline.n_features_in_:
        raise TrainingError(
            f"the card lists {len(card.inputs)} inputs, the model takes {pipeline.n_features_in_}; list each, in order"
        )
    if given.reference:
        table = read_table(given.reference)
        reference = np.column_stack([encode_field(table, name, field) for name, field in card.inputs.items()])
    else:
        reference = mean_applicant(pipeline)
    inputs = [*paths, *([given.card] if given.card else []), *([given.reference] if given.reference else [])]
    origin = trace_origin(inputs)
    training = Training(
        estimator=f"imported {type(pipeline[-1]).__name__}",
        rows=0,
        holdout_rows=0,
        default_rate=None,
        seed=given.seed,
        data_sha256=sha256(b"".join(path.read_bytes() for path in inputs)),
        card_sha256=sha256(format_card(card)),
        commit=origin.commit,
        libraries=origin.libraries,
    )
    contract = describe(card, training, origin.trained_at, metrics={})
    if given.reference:
        contract = structs.replace(
            contract,
            bins=make_bins(contract.fields, reference),
            probability_bins=bin_numbers(pipeline.predict_proba(reference)[:, 1]),
        )
    fields = list(contract.fields)
    try:
        content = export(pipeline, contract, draw_reference(reference, given.seed))
    except ValueError as error:
        raise TrainingError(f"{paths[-1]} can't be exported: {error}") from error
    model = load_model(content)
    applicants = reference if given.reference else draw_applicants(fields, PROVEN_ROWS, given.seed)
    console.print(str(prove(pipeline, model, applicants, given.seed)))
    if given.card is None:
        path = inferred_path(given.out, card)
        write_whole(path, format_card(card))
        console.print(f"Wrote {path}: complete labels, bounds, reasons and costs, then import again with --card {path}")
    write_whole(given.out / "model.onnx", content)
    console.print(f"Wrote {given.out / 'model.onnx'}: {contract.version}, sha256 {model.sha256[:12]}…")


def assemble(parts: list[Any]) -> Pipeline:
    """One fitted Pipeline of a pipeline as it is, or of a scaler (perhaps) and a classifier."""
    if len(parts) == 1 and isinstance(parts[0], Pipeline):
        pipeline = parts[0]
    else:
        names = ["scale", "classify"][-len(parts) :]
        pipeline = Pipeline(list(zip(names, parts, strict=True)))
    if not hasattr(pipeline[-1], "predict_proba"):
        raise TrainingError(
            f"the last step is a {type(pipeline[-1]).__name__}, expected a fitted classifier that gives probabilities"
        )
    return pipeline


def check_classes(pipeline: Pipeline) -> None:
    """Raise TrainingError unless the model tells good (first class) from default (second class) in our sense."""
    classes = [str(value).lower() for value in getattr(pipeline[-1], "classes_", [])]
    if classes not in (["0", "1"], ["0.0", "1.0"], ["false", "true"]):
        raise TrainingError(
            f"the model's classes are {classes or 'unknown'}, expected 0 (good) and 1 (default); "
            "fit it on a target coded so"
        )


def check_steps(pipeline: Pipeline) -> None:
    """Raise TrainingError if a step of the model has no exact export."""
    try:
        players_of(pipeline)
        read_classifier(pipeline[-1])
    except ValueError as error:
        raise TrainingError(f"the model can't be imported: {error}") from error


def make_card(name: str, pipeline: Pipeline, path: Path) -> Card:
    """A card to complete: names and bounds as far as the model remembers them."""
    width = pipeline.n_features_in_
    names = [str(known) for known in getattr(pipeline, "feature_names_in_", [])]
    names = names or [f"field_{number:0{len(str(width))}}" for number in range(1, width + 1)]
    scaler = _step(pipeline, StandardScaler)
    nullable = _accepts_gaps(pipeline)
    fields = {}
    for column, field in enumerate(names):
        minimum = maximum = None
        if scaler is not None and scaler.mean_ is not None and scaler.scale_ is not None:
            mean, reach = float(scaler.mean_[column]), DEVIATIONS * float(scaler.scale_[column])
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
        dataset = msgspec.convert({"name": name, "path": str(path), "target": "", "default": 1}, Dataset)
    except msgspec.ValidationError as error:
        raise TrainingError(f"--name {name!r} can't be used: {error}") from error
    return Card(dataset, fields)


def mean_applicant(pipeline: Pipeline) -> Matrix:
    """The applicant that a scaler or an imputer remembers as average, float64, shape (1, n_fields).

    For a linear model this reference gives the same contributions as the whole population it is the mean of.
    """
    for kind, attribute in ((StandardScaler, "mean_"), (SimpleImputer, "statistics_")):
        step = _step(pipeline, kind)
        if step is not None and getattr(step, attribute) is not None:
            return np.asarray(getattr(step, attribute), dtype=np.float64).reshape(1, -1)
    raise TrainingError(
        "the model remembers no average applicant to compare with; give a table of applicants: --reference FILE.csv"
    )


def _step(pipeline: Pipeline, kind: type) -> Any:
    """The first step of a kind whose columns are the input's, or None."""
    for _, step in pipeline.steps[:-1]:
        if isinstance(step, kind):
            return step
        if not isinstance(step, SimpleImputer | StandardScaler):
            return None
    return None


def _accepts_gaps(pipeline: Pipeline) -> bool:
    try:
        probability = pipeline.predict_proba(np.full((1, pipeline.n_features_in_), np.nan))
    except ValueError:
        return False
    return bool(np.isfinite(probability).all())
