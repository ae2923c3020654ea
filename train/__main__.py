"""`python -m train`: card → table → choose → fit → thresholds → export → proof → report → model.onnx.

The story of training, top to bottom. Exit code 2 and one sentence for anything the user can mend, 130 when
interrupted; no card or model is written before everything is proven, only the record of finished runs.
"""

from __future__ import annotations

import argparse
import importlib
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from msgspec import structs
from rich.console import Console

from model.contract import Training
from model.loading import load_model
from train import adopt, compare, drift, repository
from train.bins import bin_numbers, make_bins
from train.candidates import CANDIDATES
from train.card import Card, check_card, format_card, read_card
from train.choose import Trial, choose
from train.dataset import encode, encode_protected
from train.describe import describe, describe_fields
from train.errors import TrainingError
from train.export import draw_reference, export
from train.files import inferred_path, write_together, write_whole
from train.holdout import split
from train.infer import infer_card
from train.policy import make_policy
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.quality import measure
from train.report.calibration import check_calibration, measure_calibration
from train.report.evidence import gather
from train.report.findings import find
from train.report.pages import render_pages
from train.report.verdict import judge, show_verdict
from train.runs import Context, JsonLines, RunLog
from train.search import check_optuna
from train.summary import Entry, show_summary
from train.table import Table, read_table
from train.threads import limit_threads
from train.trials import Effort, try_all


@dataclass(frozen=True, slots=True)
class Source:
    """What to train on: a card, the table it describes, and the file of the card, None where it was inferred."""

    card: Card
    table: Table
    card_path: Path | None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    console = Console(soft_wrap=True, highlight=False)
    try:
        if words[:1] == ["import"]:
            adopt.run(adopt.parse(words[1:]), console)
        elif words[:1] == ["repository"]:
            repository.run(repository.parse(words[1:]), console)
        elif words[:1] == ["drift"]:
            return drift.run(drift.parse(words[1:]), console)
        elif words[:1] == ["compare"]:
            return compare.run(compare.parse(words[1:]), console)
        elif words[:1] == ["features"]:
            command = load_features()
            command.run(command.parse(words[1:]), console)
        else:
            run(parse(words), console)
    except TrainingError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", style="red", markup=False, highlight=False)
        return 2
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted: no model was written; finished runs stay recorded", style="red")
        return 130
    return 0


def run(given: argparse.Namespace, console: Console) -> None:
    """Train as asked and write the artifact; raises TrainingError."""
    started = time.monotonic()
    if given.search > 1:
        check_optuna()
    source = open_source(given)
    card, table = source.card, source.table
    data = encode(table, card)
    console.print(
        f"{card.dataset.name}: {len(data.y):,} applications, {len(card.inputs)} fields, {data.y.mean():.1%} default"
    )
    parts = split(data.y, given.seed)
    fit, holdout = data.take(parts.fit), data.take(parts.holdout)
    policy = make_policy(card.policy)
    fields = list(card.inputs.values())

    origin = trace_origin([path for path in (source.card_path, table.path) if path is not None])
    context = Context(card.dataset.name, len(fit.y), given.seed, table.sha256, sha256(format_card(card)), origin)
    log = open_log(given)

    def record(trial: Trial) -> None:
        log.record(context.describe(trial))

    is_auto = given.model == "auto"
    candidates = [one for one in CANDIDATES.values() if (not one.is_optional if is_auto else one.name == given.model)]
    effort = Effort(given.search, given.time_limit)
    pipelines, qualities = {}, {}
    with limit_threads(data.X.size):
        trials = try_all(candidates, fit, fields, given.seed, effort, record, console)
        for trial in trials:
            pipeline = trial.candidate.build(fields, given.seed, trial.settings).fit(fit.X, fit.y)
            pipelines[trial.candidate.name] = pipeline
            qualities[trial.candidate.name] = measure(holdout.y, pipeline.predict_proba(holdout.X)[:, 1], policy)
    chosen = choose(trials)
    name = chosen.candidate.name
    entries = [Entry(trial, qualities[trial.candidate.name]) for trial in trials]
    show_summary(console, holdout.y, entries, chosen, policy)

    training = Training(
        estimator=name,
        rows=len(fit.y),
        holdout_rows=len(holdout.y),
        default_rate=float(fit.y.mean()),
        seed=given.seed,
        data_sha256=table.sha256,
        card_sha256=context.card_sha256,
        commit=origin.commit,
        libraries=origin.libraries,
        settings=chosen.settings,
    )
    with limit_threads(data.X.size), console.status("Judging every application by a model that hasn't seen it"):
        evidence = gather(pipelines[name], data, parts, encode_protected(table, card), given.seed)
    check_calibration(measure_calibration(*evidence.held_out, given.seed))
    contract = structs.replace(
        describe(card, training, origin.trained_at, qualities[name].as_dict()),
        bins=make_bins(describe_fields(card), fit.X),
        probability_bins=bin_numbers(evidence.probability),
    )
    content = export(pipelines[name], contract, draw_reference(fit.X, given.seed))
    model = load_model(content)
    with limit_threads(data.X.size), console.status("Proving the exported graph"):
        proof = prove(pipelines[name], model, data.X, given.seed)
    console.print(str(proof))
    with limit_threads(data.X.size), console.status("Writing the report"):
        findings = find(model, len(content), card, evidence, tuple(entries), proof)
        pages = render_pages(given.out, findings)
    show_verdict(console, judge(findings))
    if source.card_path is None:
        path = inferred_path(given.out, card)
        write_whole(path, format_card(card))
        console.print(f"Wrote {path}: edit labels, bounds, reasons and costs, then: python -m train {path}")
    console.print(f"Recorded every run in {log.place}")
    path = given.out / "model.onnx"
    write_together({**pages, path: content})
    console.print(
        f"Wrote {path}: {contract.version}, {len(content) / 1024:,.0f} kB, sha256 {model.sha256[:12]}…; "
        f"{', '.join(page.name for page in pages)} beside it; {time.monotonic() - started:.0f} s in all"
    )


def open_log(given: argparse.Namespace) -> RunLog:
    """Where this command records its runs; raises TrainingError if it can't be had."""
    if not given.mlflow:
        return JsonLines(given.out / "runs.jsonl")
    from train.mlflow_store import MlflowStore

    return MlflowStore(given.out)


def load_features() -> ModuleType:
    """The command that needs the libraries of requirements-features.txt; raises TrainingError where they aren't."""
    try:
        return importlib.import_module("train.features.command")
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name} isn't installed; install it with: python -m pip install -r requirements-features.txt"
        ) from error


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a credit model on a table and write it as one exact ONNX file.",
        epilog="Give a dataset card, or --data and --target to have one inferred and written beside the model. "
        "A model that was fitted elsewhere: python -m train import --help. New applicants beside those it learnt from: "
        "python -m train drift --help. One model beside another: python -m train compare --help. "
        "Features of relational tables: python -m train features --help. "
        "For Triton and KServe: python -m train repository --help.",
    )
    parser.add_argument("card", nargs="?", type=Path, help="dataset card, such as data/credit_data.toml")
    parser.add_argument("--data", type=Path, metavar="FILE", help="a CSV or Parquet file without a card")
    parser.add_argument("--target", metavar="COLUMN", help="with --data: the column to predict")
    parser.add_argument("--default", metavar="VALUE", help="with --data: the target's value that means default")
    parser.add_argument("--id", metavar="COLUMN", help="with --data: the column that identifies a row")
    parser.add_argument(
        "--model",
        choices=["auto", *CANDIDATES],
        default="auto",
        help="default: auto, the better of logistic and boosting",
    )
    parser.add_argument("--out", type=Path, default=Path("artifacts"), metavar="DIR", help="default: artifacts")
    parser.add_argument("--seed", type=int, default=0, help="of split, folds, fit and search; default: 0")
    parser.add_argument(
        "--search",
        type=whole,
        default=1,
        metavar="N",
        help="try N settings of each candidate on the same five folds, the default ones first, and take the best; "
        "needs requirements-search.txt. The same seed finds the same. Ctrl-C ends the search and trains with the "
        "best so far; a second Ctrl-C stops without a model",
    )
    parser.add_argument(
        "--time-limit",
        type=seconds,
        default=math.inf,
        metavar="SECONDS",
        help="with --search: end it after so long, however many runs were made; what is found then depends on the "
        "speed of the machine",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="record every run in an MLflow store, DIR/mlflow.db or the one that MLFLOW_TRACKING_URI names, instead "
        "of DIR/runs.jsonl; needs requirements-mlflow.txt",
    )
    given = parser.parse_args(arguments)
    if given.search == 1 and given.time_limit < math.inf:
        parser.error("--time-limit goes with --search N, of 2 or more")
    if (given.card is None) == (given.data is None):
        parser.error("give either a card or --data FILE --target COLUMN")
    if given.data is not None and given.target is None:
        parser.error("--data needs --target COLUMN, the column to predict")
    if given.card is not None and (given.target or given.id or given.default):
        parser.error("--target, --id and --default go with --data; with a card they are written in the card")
    return given


def whole(text: str) -> int:
    """A whole number from 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number from 1")
    return number


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number of seconds above 0")
    return number


def open_source(given: argparse.Namespace) -> Source:
    """The card and its table: read, or inferred from the table."""
    if given.card is None:
        table = read_table(given.data)
        card = infer_card(table, given.target, given.id, given.default)
        check_card(card)
        inferred_path(given.out, card)
        return Source(card, table, None)
    card = read_card(given.card)
    return Source(card, read_table(given.card.parent / card.dataset.path), given.card)


if __name__ == "__main__":
    sys.exit(main())
