"""`python -m train`: card → table → tuning → choice → export → check of the export → report → model.onnx.

The whole of training, from top to bottom; subcommands have a module each (SUBCOMMANDS). Exit code 2 and one sentence
for anything the user can correct, 130 when interrupted. Card, model and documents are written only after the exported
graph has given the same results as the fitted pipeline; finished trials are recorded before that.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs
from rich.console import Console

from model.contract import Training
from model.dialect import DialectOptions
from model.loading import load_model
from train.arguments import parse, read_dialect_options
from train.bins import bin_numbers, make_bins
from train.candidates import CANDIDATES, Candidate
from train.card import Card, CardField, check_card, format_card, read_card
from train.card_inference import Choices, infer_card, list_columns
from train.contract import make_contract, make_fields
from train.cross_validation import best_trial
from train.dataset import encode_protected, encode_table
from train.errors import TrainingError, import_optional, shorten
from train.export import draw_reference, export
from train.files import inferred_path, write_together, write_whole
from train.holdout import split_rows
from train.leakage import check_leakage, measure_fields
from train.model_selection import SearchBudget, tune_candidates
from train.policy import make_policy
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.quality import measure
from train.readers.describe import describe
from train.report.calibration import check_calibration, measure_calibration
from train.report.documents import render_documents
from train.report.findings import collect_findings
from train.report.out_of_sample import predict_out_of_sample
from train.report.verdict import assess, show_verdict
from train.runs import JsonLinesLog, RunContext, RunLog
from train.search import check_optuna
from train.summary import Entry, show_summary, show_table
from train.table import Table, read_table
from train.target import find_unlabelled
from train.threads import limit_threads

SUBCOMMANDS = {
    "import": "train.import_model",
    "compare": "train.compare",
    "drift": "train.drift",
    "features": "train.features.command",
    "repository": "train.repository",
}
"""Subcommand → module with `parse(arguments)` and `run(options, console)`, which returns the exit code."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to train on: a card, the table it describes, and the card's file, None if the card was inferred."""

    card: Card
    table: Table
    card_path: Path | None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    console = Console(soft_wrap=True, highlight=False)
    try:
        if arguments and arguments[0] in SUBCOMMANDS:
            requirements = "requirements/features.txt" if arguments[0] == "features" else "requirements-train.txt"
            command = import_optional(SUBCOMMANDS[arguments[0]], requirements)
            return int(command.run(command.parse(arguments[1:]), console))
        return run(parse(arguments), console)
    except TrainingError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", style="red", markup=False, highlight=False)
        return 2
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: no model was written; finished trials stay recorded", style="red")
        return 130


def run(options: argparse.Namespace, console: Console) -> int:
    """Train and write the model with its documents; the exit code. Raises TrainingError."""
    started = time.monotonic()
    if options.search > 1:
        check_optuna()
    source = open_source(options)
    card, table, seed = source.card, source.table, options.seed
    data = encode_table(table, card)
    show_table(console, card, table, data.y)
    strengths = measure_fields(data, card.inputs, seed)
    check_leakage(strengths, card.inputs)
    partition = split_rows(data.y, seed)
    training_data, holdout_data = data.take(partition.training_rows), data.take(partition.holdout_rows)
    policy = make_policy(card.policy)
    fields = list(card.inputs.values())

    origin = trace_origin([path for path in (source.card_path, table.path) if path is not None])
    context = RunContext(card.dataset.name, len(training_data.y), seed, table.sha256, sha256(format_card(card)), origin)
    log = open_log(options)
    budget = SearchBudget(options.search, options.time_limit)
    with limit_threads(data.X.size):
        trials = tune_candidates(
            [candidate.with_leaves(options.max_leaves) for candidate in select_candidates(options.model)],
            training_data,
            fields,
            seed,
            budget,
            lambda trial: log.record(context.make_run(trial)),
            console,
        )
        fitted = [
            trial.candidate.build(fields, seed, trial.settings).fit(training_data.X, training_data.y)
            for trial in trials
        ]
        entries = tuple(
            Entry(trial, measure(holdout_data.y, pipeline.predict_proba(holdout_data.X)[:, 1], policy))
            for trial, pipeline in zip(trials, fitted, strict=True)
        )
        chosen = best_trial(trials)
        pipeline, quality = fitted[trials.index(chosen)], entries[trials.index(chosen)].quality
        show_summary(console, holdout_data.y, entries, chosen, policy)

        with console.status("Computing out-of-sample predictions"):
            sample = predict_out_of_sample(pipeline, data, partition, encode_protected(table, card), seed)
        check_calibration(measure_calibration(*sample.holdout_predictions, seed))

        training = Training(
            estimator=chosen.candidate.name,
            rows=len(training_data.y),
            holdout_rows=len(holdout_data.y),
            default_rate=float(training_data.y.mean()),
            seed=seed,
            data_sha256=table.sha256,
            card_sha256=context.card_sha256,
            commit=origin.commit,
            libraries=origin.libraries,
            settings=chosen.settings,
        )
        contract = structs.replace(
            make_contract(card, training, origin.trained_at, quality.as_dict()),
            bins=make_bins(make_fields(card), training_data.X),
            probability_bins=bin_numbers(sample.probability),
        )
        described = describe(pipeline)
        content = export(described, contract, draw_reference(training_data.X, seed))
        model = load_model(content)
        with console.status("Checking the exported graph"):
            proof = prove(described, model, data.X, seed)
        console.print(str(proof))

        with console.status("Writing the report"):
            findings = collect_findings(
                model, len(content), card, sample, entries, proof, strengths, list_columns(card, table)
            )
            documents = render_documents(options.out, findings)
    show_verdict(console, assess(findings))
    if source.card_path is None:
        path = inferred_path(options.out, card)
        write_whole(path, format_card(card))
        console.print(f"Wrote {path}: edit labels, bounds, reasons and costs, then: python -m train {path}")
    console.print(f"Recorded every trial in {log.location}")
    path = options.out / "model.onnx"
    write_together({**documents, path: content})
    console.print(
        f"Wrote {path}: {contract.version}, {len(content) / 1024:,.0f} KiB, sha256 {model.sha256[:12]}…; "
        f"{', '.join(document.name for document in documents)} beside it; {time.monotonic() - started:.0f} s in all"
    )
    return 0


def open_source(options: argparse.Namespace) -> Source:
    """The card and its table: read, or inferred from the table; options override the card."""
    given = read_dialect_options(options)
    if options.card is None:
        names = [name for name in (options.target, options.id) if name is not None]
        table = read_table(options.data, given, names)
        choices = Choices(
            options.target,
            options.id,
            options.default,
            options.drop_unlabelled,
            options.bad_cells or "stop",
            frozenset(options.ignore),
            frozenset(options.allow),
        )
        card = infer_card(table, choices)
        check_card(card)
        inferred_path(options.out, card)
    else:
        card = override_card(read_card(options.card), options, given)
        table = read_table(options.card.parent / card.dataset.path, card.dataset.dialect, card.names)
    if card.policy.prior is not None:
        raise TrainingError(
            f"the card has prior = {card.policy.prior:g}, which corrects the class weights of an imported model; "
            "a model that is trained here has none: remove it"
        )
    if card.dataset.drop_unlabelled:
        table = table.drop(find_unlabelled(table, card.dataset.target))
    return Source(card, table, options.card)


def override_card(card: Card, options: argparse.Namespace, given: DialectOptions) -> Card:
    """The card with what the command line says instead; raises TrainingError for a field that it doesn't have."""
    changes = {name: value for name, value in structs.asdict(given).items() if value is not None}
    if options.drop_unlabelled:
        changes["drop_unlabelled"] = True
    if options.bad_cells is not None:
        changes["bad_cells"] = options.bad_cells
    fields = dict(card.fields)
    for name in (*options.ignore, *options.allow):
        if name not in fields:
            raise TrainingError(f"the card has no field {name!r}; its fields are: {shorten(list(fields), 12)}")
    for name in options.allow:
        fields[name] = structs.replace(fields[name], allow=True)
    for name in options.ignore:
        # Not with use = false alone: that is a protected field, which the report compares groups by.
        fields[name] = CardField(fields[name].label, "category", use=False, note="Not used: left out with --ignore.")
    changed = structs.replace(card, dataset=structs.replace(card.dataset, **changes), fields=fields)
    check_card(changed)
    return changed


def open_log(options: argparse.Namespace) -> RunLog:
    """Where the runs of this command are recorded; raises TrainingError if it can't be opened."""
    if not options.mlflow:
        return JsonLinesLog(options.out / "runs.jsonl")
    from train.mlflow_store import MlflowStore

    return MlflowStore(options.out)


def select_candidates(name: str) -> list[Candidate]:
    """The candidate of a name; for "auto" all that need no optional library."""
    if name == "auto":
        return [candidate for candidate in CANDIDATES.values() if not candidate.is_optional]
    return [CANDIDATES[name]]


if __name__ == "__main__":
    sys.exit(main())
