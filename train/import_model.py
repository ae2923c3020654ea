"""`python -m train import`: export a model that was fitted elsewhere as the same artifact, exact and with reasons.

Nothing is measured, because there are no outcomes: the artifact has no metrics. Contributions are relative to the mean
applicant that the model's own scaler remembers, or to the applicants of --reference.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from msgspec import structs
from rich.console import Console

from model.contract import Training
from model.loading import load_model
from train.arguments import add_dialect_options, random_seed, read_dialect_options
from train.bins import bin_numbers, make_bins
from train.card import check_card, format_card, read_card
from train.contract import make_contract
from train.dataset import encode_fields
from train.errors import TrainingError
from train.export import draw_reference, export
from train.export.golden import draw_applicants
from train.export.swapped_classes import unswap
from train.files import inferred_path, write_whole
from train.fitted_model import (
    assemble_pipeline,
    choose_default,
    make_card,
    mean_applicant,
    put_default_second,
    read_classes,
    read_object,
)
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.table import read_table

SYNTHETIC_ROWS = 1_000
"""Synthetic applicants within the card's bounds that the proof uses where there is no --reference."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train import",
        description="Export a fitted model as model.onnx, with reasons, golden rows and a card to complete.",
    )
    parser.add_argument("--pipeline", type=Path, metavar="FILE", help="a fitted Pipeline: .skops, .joblib or .pkl")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a fitted classifier alone")
    parser.add_argument("--scaler", type=Path, metavar="FILE", help="with --model: the fitted scaler before it")
    parser.add_argument(
        "--trust", action="store_true", help="load pickles, which run the code in them: only from a trusted source"
    )
    parser.add_argument(
        "--default", metavar="CLASS", help="the model's class that means default; asked for where its name doesn't tell"
    )
    parser.add_argument("--card", type=Path, metavar="CARD", help="the completed card of an earlier import")
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="CSV",
        help="applicants that contributions are relative to, and that `drift` compares new applicants with",
    )
    parser.add_argument("--name", default="imported", help="name of the model, default: imported")
    parser.add_argument("--out", type=Path, default=Path("artifacts"), metavar="DIR", help="default: artifacts")
    parser.add_argument("--seed", type=random_seed, default=0, help="of golden rows and proof; default: 0")
    add_dialect_options(parser)
    options = parser.parse_args(arguments)
    if (options.pipeline is None) == (options.model is None):
        parser.error("give either --pipeline FILE, or --model FILE and optionally --scaler FILE")
    if options.scaler is not None and options.model is None:
        parser.error("--scaler needs --model")
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Import a model and write artifact and card; the exit code. Raises TrainingError."""
    # The graph's input is a matrix, also for a pipeline that was fitted on a table with column names.
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    paths = [path for path in (options.scaler, options.model, options.pipeline) if path is not None]
    read = [read_object(path, is_trusted=options.trust) for path in paths]
    for remark in sorted({remark for _, remark in read} - {""}):
        console.print(f"note: {remark}", style="yellow", markup=False)
    pipeline = assemble_pipeline([fitted for fitted, _ in read])

    card = read_card(options.card) if options.card else None
    classes = read_classes(pipeline.steps[-1][1])
    default = choose_default(classes, options.default, card.dataset.default if card else None)
    pipeline = put_default_second(pipeline, default)
    console.print(f"The model's classes are {classes[0]!r} and {classes[1]!r}; {default!r} means default", markup=False)
    if card is None:
        card = make_card(options.name, pipeline, paths[-1], default)
    elif options.default is not None:
        card = structs.replace(card, dataset=structs.replace(card.dataset, default=default))
    check_card(card)
    if len(card.inputs) != pipeline.n_features_in_:
        raise TrainingError(
            f"the card lists {len(card.inputs)} inputs, the model takes {pipeline.n_features_in_}; list each, in order"
        )
    if options.reference:
        table = read_table(options.reference, read_dialect_options(options), list(card.inputs))
        reference = np.column_stack(encode_fields(table, card, card.inputs))
    else:
        reference = mean_applicant(pipeline)
    inputs = [*paths, *(path for path in (options.card, options.reference) if path)]
    origin = trace_origin(inputs)
    training = Training(
        estimator=f"imported {type(unswap(pipeline.steps[-1][1])).__name__}",
        rows=0,
        holdout_rows=0,
        default_rate=None,
        seed=options.seed,
        data_sha256=sha256(b"".join(path.read_bytes() for path in inputs)),
        card_sha256=sha256(format_card(card)),
        commit=origin.commit,
        libraries=origin.libraries,
    )
    contract = make_contract(card, training, origin.trained_at, metrics={})
    if options.reference:
        contract = structs.replace(
            contract,
            bins=make_bins(contract.fields, reference),
            probability_bins=bin_numbers(pipeline.predict_proba(reference)[:, 1]),
        )
    try:
        content = export(pipeline, contract, draw_reference(reference, options.seed))
    except ValueError as error:
        raise TrainingError(f"{paths[-1]} can't be exported: {error}") from error
    model = load_model(content)
    applicants = (
        reference if options.reference else draw_applicants(list(contract.fields), SYNTHETIC_ROWS, options.seed)
    )
    console.print(str(prove(pipeline, model, applicants, options.seed)))
    if options.card is None:
        path = inferred_path(options.out, card)
        write_whole(path, format_card(card))
        console.print(f"Wrote {path}: complete labels, bounds, reasons and costs, then import again with --card {path}")
    path = options.out / "model.onnx"
    write_whole(path, content)
    console.print(f"Wrote {path}: {contract.version}, sha256 {model.sha256[:12]}…")
    return 0
