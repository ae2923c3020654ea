"""`python -m train`: card → table → tuning → choice → export → check of the export → report → model.onnx.

The whole of training, from top to bottom; subcommands have a module each (SUBCOMMANDS). Exit code 2 and one sentence
for anything the user can correct, 130 when interrupted. Card, model and documents are written only after the exported
graph has given the same results as the fitted pipeline; finished trials are recorded before that. A model that isn't
calibrated goes to the folder `rejected`, with exit code 2.
"""

from __future__ import annotations

import argparse
import sys
import time

from msgspec import structs
from rich.console import Console

from model.contract import Training
from model.loading import load_model
from train.arguments import format_command, parse
from train.bins import bin_numbers, make_bins
from train.candidates import CANDIDATES, Candidate
from train.card import format_card
from train.card_notes import list_columns
from train.choice import choose
from train.contract import make_contract, make_fields
from train.dataset import encode_protected, encode_segments, encode_table
from train.errors import TrainingError, import_optional
from train.export import draw_reference, export
from train.files import inferred_path, write_whole
from train.holdout import split_rows
from train.leakage import check_leakage, measure_fields
from train.model_selection import SearchBudget, tune_candidates
from train.points_table.files import explain_no_sql
from train.policy import describe_reach, make_policy
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.readers.describe import describe
from train.readers.names import find_classifier
from train.rejects.door import read_rejected
from train.rejects.measure import measure_rejects
from train.report.documents import remove_earlier, write_accepted, write_rejected
from train.report.findings import TrainingRecord, collect_findings
from train.report.gate import explain_rejection
from train.report.verdict import assess, show_verdict
from train.runs import JsonLinesLog, RunContext, RunLog
from train.scorecard.points import describe_empty_bins, describe_scorecard
from train.search import check_optuna
from train.source import open_source
from train.summary import show_summary, show_table, show_validation
from train.target import find_default_text
from train.threads import limit_threads
from train.time_formats import format_day, parse_since
from train.weights import weighted_mean
from train.windows import measure_windows

SUBCOMMANDS = {
    "import": "train.import_model",
    "compare": "train.compare",
    "recalibrate": "train.recalibrate",
    "drift": "train.drift",
    "evaluate": "train.evaluate",
    "features": "train.features.command",
    "repository": "train.repository",
    "scorecard": "train.points_table.command",
}
"""Subcommand → module with `parse(arguments)` and `run(options, console)`, which returns the exit code."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Brackets in a path, a label or a level are no markup.
    console = Console(soft_wrap=True, highlight=False, markup=False)
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
    rejected = None if source.rejected is None else read_rejected(source.rejected, table, card)
    show_table(console, card, table, data, is_inferred=source.card_path is None)
    strengths = measure_fields(data, card.inputs, seed)
    check_leakage(strengths, card.inputs)
    dataset = card.dataset
    partition = split_rows(
        data.y,
        seed,
        time=data.time,
        group=data.group,
        share=dataset.holdout,
        since=None if dataset.since is None else parse_since(dataset.since),
    )
    training_data = data.take(partition.training_rows)
    show_validation(console, partition, training_data, seed)
    policy = make_policy(card.policy, card.inputs, training_data.X, training_data.weight)
    for sentence in describe_reach(policy, training_data.X):
        console.print(f"note: {sentence}", style="yellow")
    fields = list(card.inputs.values())

    origin = trace_origin([path for path in (source.card_path, table.path) if path is not None])
    context = RunContext(card.dataset.name, len(training_data.y), seed, table.sha256, sha256(format_card(card)), origin)
    log = open_log(options)
    budget = SearchBudget(options.search, options.time_limit)
    with limit_threads(data.X.size):
        trials = tune_candidates(
            [
                candidate.with_leaves(options.max_leaves).with_card(card)
                for candidate in select_candidates(options.model)
            ],
            training_data,
            fields,
            seed,
            budget,
            lambda trial: log.record(context.make_run(trial)),
            console,
        )
        with console.status("Fitting the candidates and computing out-of-sample predictions"):
            protected, segments = encode_protected(table, card), encode_segments(table, card)
            choice = choose(trials, data, partition, fields, policy, protected, segments, seed)
        chosen, sample = choice.trial, choice.sample
        since = "" if partition.since is None else format_day(partition.since)
        show_summary(console, data.take(partition.holdout_rows), choice.entries, chosen, policy, since)
        if choice.correction is not None:
            console.print(str(choice.correction))
        scorecard = getattr(find_classifier(choice.model), "scorecard_", None)
        if scorecard is not None:
            console.print(describe_scorecard(scorecard, card.inputs))
            for sentence in describe_empty_bins(card.inputs, training_data.X):
                console.print(f"note: {sentence}", style="yellow")

        training = Training(
            estimator=chosen.candidate.name,
            rows=len(training_data.y),
            holdout_rows=len(partition.holdout_rows),
            default_rate=weighted_mean(training_data.y, training_data.weight),
            seed=seed,
            data_sha256=table.sha256,
            card_sha256=context.card_sha256,
            commit=origin.commit,
            libraries=origin.libraries,
            settings=chosen.settings,
            time=dataset.time or "",
            time_format=dataset.time_format or "",
            since=since,
            group=dataset.group or "",
            holdout_share=dataset.holdout,
            correction=None if choice.correction is None else choice.correction.line,
            target=dataset.target,
            default=find_default_text(table, dataset.target, data.y),
            accepted=dataset.accepted or "",
            accepted_value="" if dataset.accepted_value is None else str(dataset.accepted_value),
        )
        # A scorecard has few totals of points, which scorecards of other rows don't share.
        reference = sample.probability if scorecard is None else choice.model.predict_proba(sample.X)[:, 1]
        contract = structs.replace(
            make_contract(card, training, origin.trained_at, choice.quality.as_dict(), policy),
            bins=make_bins(make_fields(card), training_data.X, training_data.weight),
            probability_bins=bin_numbers(reference, sample.weight),
            scorecard=scorecard,
        )
        described = describe(choice.model)
        content = export(described, contract, draw_reference(training_data.X, seed))
        model = load_model(content)
        with console.status("Checking the exported graph"):
            proof = prove(described, model, data.X, seed)
        console.print(str(proof))

        with console.status("Writing the report"):
            windows = measure_windows(choice.pipeline, data, partition)
            left_out = list_columns(card, table)
            rejects = None if rejected is None else measure_rejects(rejected, card, model, choice, seed)
            trained = TrainingRecord(
                choice.entries, proof, strengths, left_out, windows, choice.correction, partition.left_out, rejects
            )
            findings = collect_findings(model, len(content), card, sample, trained)
    show_verdict(console, assess(findings))
    if source.card_path is None:
        path = inferred_path(options.out, card)
        write_whole(path, format_card(card))
        again = format_command(path, options)
        console.print(f"Wrote {path}: edit labels, bounds, reasons and costs, then: {again}")
    console.print(f"Recorded every trial in {log.location}")
    rejection = explain_rejection(findings, options.out)
    if rejection is not None:
        write_rejected(options.out, findings, content)
        raise TrainingError(rejection)
    documents = write_accepted(options.out, findings, content)
    note = remove_earlier(options.out, documents)
    for remark in (note, explain_no_sql(contract)):
        if remark is not None:
            console.print(f"note: {remark}", style="yellow")
    console.print(
        f"Wrote {options.out / 'model.onnx'}: {contract.version}, {len(content) / 1024:,.0f} KiB, "
        f"sha256 {model.sha256[:12]}…; "
        f"{', '.join(document.name for document in documents)} beside it; {time.monotonic() - started:.0f} s in all"
    )
    return 0


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
