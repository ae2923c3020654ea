"""`python -m train recalibrate`: move a model's log-odds of default to recent outcomes, exactly in its file.

The line through the log-odds is the most likely one given the outcomes (Cox, Biometrika 45, 1958): a new intercept, and
with --slope a new slope. Nothing is fitted again: order of applicants, reasons and thresholds stay. Outcomes on record
are those of decisions that the file or its parent made: another model would have chosen others. The new file is proven
before it is written, and names its parent by SHA-256.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from msgspec import structs
from rich.console import Console
from rich.table import Table as Grid

from model.contract import ContractError, Training
from model.formatting import format_percent, format_percent_estimate
from model.loading import load_model, read_file
from train.applicants import read_applicants
from train.arguments import random_seed
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.recalibration import UnknownGraph, move_contract, recalibrate
from train.files import write_together
from train.outcomes import Outcomes, add_outcome_options, check_outcome_options, open_outcomes
from train.provenance import sha256, trace_origin
from train.recalibration_fit import Fit, fit_outcomes, list_faults
from train.recalibration_proof import Parent, prove_recalibration
from train.report.documents import remove_earlier
from train.report.intervals import share_of
from train.report.recalibrated import NO_TABLE, Note, render_notes
from train.table import Table
from train.weights import select, weighted_mean


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train recalibrate",
        description="Move a model's log-odds of default to recent outcomes, and write it as a new file. Give outcomes "
        "of decisions on record, or a table that the model wasn't trained on.",
    )
    parser.add_argument(
        "--model", type=Path, default=Path("artifacts/model.onnx"), help="default: artifacts/model.onnx"
    )
    add_outcome_options(parser)
    parser.add_argument("--slope", action="store_true", help="move the slope too, not only the intercept")
    parser.add_argument(
        "--out", type=Path, default=Path("build/recalibrated"), metavar="DIR", help="default: build/recalibrated"
    )
    parser.add_argument("--seed", type=random_seed, default=0, help="of the rows of the proof; default: 0")
    options = parser.parse_args(arguments)
    check_outcome_options(parser, options)
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Recalibrate, prove and write; the exit code. Raises TrainingError."""
    parent = open_parent(options.model)
    contract = parent.contract
    made_by = (parent.model.sha256, *([contract.parent] if contract.parent else []))
    outcomes = open_outcomes(options, [field.name for field in contract.fields], made_by, [contract])
    table, y, weight = outcomes.table, outcomes.y, outcomes.weight
    if table.sha256 == contract.training.data_sha256:
        raise TrainingError(explain_training_rows(table, contract.training))
    for sentence in table.notes:
        console.print(sentence, markup=False)
    applicants = read_applicants(table, contract.fields)
    before = parent.model.score(applicants).probability
    fit = fit_outcomes(before, y, is_slope_free=options.slope, weight=weight)
    change = fit.change
    origin = trace_origin([options.model, table.path])
    facts = f"{parent.model.sha256} {table.sha256} {change.intercept!r} {change.slope!r} {origin.trained_at}"
    described = structs.replace(
        contract,
        parent=parent.model.sha256,
        version=f"{origin.trained_at[:10].replace('-', '.')}-{sha256(facts.encode())[:8]}",
        trained_at=origin.trained_at,
    )
    golden = parent.expect(np.array(contract.golden.applicants, dtype=np.float64), change)
    content = recalibrate(parent.content, move_contract(described, change, golden), change)
    model = load_model(content)
    proof = prove_recalibration(parent, model, change, applicants, options.seed)

    note = Note(
        model=model,
        parent=parent.model,
        intercept=fit.intercept,
        slope=fit.slope if options.slope else None,
        outcomes=len(y),
        default_rate=weighted_mean(y, weight),
        predicted=weighted_mean(before, weight),
        order=str(fit.order),
        data_sha256=table.sha256,
    )
    after = model.score(applicants)
    show(console, note.line, fit, outcomes, before, after.probability)
    known = contract.metrics.get("auc")
    console.print(f"{fit.order}{'' if known is None else f'; in the file, of all applicants, {known:.3f}'}")
    for fault in list_faults(fit):
        console.print(f"{fault[0].upper()}{fault[1:]}", style="yellow")
    decisions = (contract.policy.decide(before, applicants), after.decision)
    accepted = [weighted_mean(decision == 0, weight) for decision in decisions]
    console.print(
        f"Accepted of these applicants: {format_percent(accepted[0])} before, {format_percent(accepted[1])} now; "
        "the thresholds of the policy stay"
    )
    console.print(str(proof))
    if contract.scorecard is not None:
        console.print(f"note: {NO_TABLE}", style="yellow")
    documents = render_notes(options.model.parent, options.out, note)
    path = options.out / "model.onnx"
    write_together({**documents, path: content})
    left = remove_earlier(options.out)
    if left is not None:
        console.print(f"note: {left}", style="yellow")
    console.print(f"Wrote {path}: {model.contract.version}, sha256 {model.sha256[:12]}…, made from {contract.version}")
    console.print(f"Beside it: {', '.join(document.name for document in documents)}")
    return 0


def explain_training_rows(table: Table, training: Training) -> str:
    """Why the table that a model was trained on doesn't recalibrate it, and what does."""
    told = f"{table.path} holds the training rows of the model, which it fits by construction"
    if not training.since:
        return f"{told}: give outcomes that are newer"
    return (
        f"{told}: give newer outcomes, or a table of the applicants from {training.since} on alone ({training.time}), "
        "which were held out"
    )


def open_parent(path: Path) -> Parent:
    """The file to recalibrate; raises TrainingError."""
    try:
        return Parent(read_file(path))
    except (ContractError, UnknownGraph) as error:
        raise TrainingError(f"{path} can't be recalibrated: {error}") from error


def show(console: Console, line: str, fit: Fit, outcomes: Outcomes, before: Matrix, after: Matrix) -> None:
    """Print the line, and predicted against observed default rates before and after."""
    y, weight = outcomes.y, outcomes.weight
    console.print(
        f"New log-odds = {line}, from {len(y):,} outcomes; chance of such outcomes if the model were right: "
        f"{fit.chance:.2g}"
    )
    grid = Grid()
    for title in ("risk by the model", "applicants", "predicted before", "now", "observed, 95 % interval"):
        grid.add_column(title, justify="right" if grid.columns else "left")
    order = np.argsort(before, kind="stable")
    below = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    fifths = np.split(order, np.searchsorted(below, below[-1] * np.arange(1, 5) / 5, side="right"))
    names = ("lowest fifth", "second", "third", "fourth", "highest fifth", "all")
    for name, rows in zip(names, [*fifths, np.arange(len(y))], strict=True):
        if not len(rows):
            continue  # One row stands for more than a fifth of the applicants.
        figures = (format_percent(weighted_mean(one[rows], select(weight, rows))) for one in (before, after))
        observed = share_of(y[rows] == 1, select(weight, rows))
        grid.add_row(name, f"{len(rows):,}", *figures, format_percent_estimate(observed))
    console.print(grid)
