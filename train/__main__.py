"""`python -m train`: card → table → choose → fit → thresholds → export → proof → model.onnx.

The story of training, top to bottom. Exit code 2 and one sentence for anything the user can mend;
nothing is written before everything is proven.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.model_selection import train_test_split

from serve.contract import Training
from serve.model import load_model
from train import adopt
from train.candidates import CANDIDATES
from train.card import Card, check_card, format_card, read_card
from train.choose import FOLDS, Trial, choose, try_candidate
from train.dataset import Dataset, encode
from train.describe import describe
from train.errors import TrainingError
from train.export import draw_reference, export
from train.files import inferred_path, write_whole
from train.infer import infer_card
from train.policy import make_policy
from train.proof import prove
from train.provenance import sha256, trace_origin
from train.quality import measure
from train.summary import Entry, show_summary
from train.table import Table, read_table
from train.threads import limit_threads

HOLDOUT_SHARE = 0.2
"""Rows that neither fitting nor choosing ever sees."""


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
        elif words[:1] == ["features"]:
            command = load_features()
            command.run(command.parse(words[1:]), console)
        else:
            run(parse(words), console)
    except TrainingError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", style="red", markup=False, highlight=False)
        return 2
    return 0


def run(given: argparse.Namespace, console: Console) -> None:
    """Train as asked and write the artifact; raises TrainingError."""
    started = time.monotonic()
    source = open_source(given)
    card, table = source.card, source.table
    data = encode(table, card)
    console.print(
        f"{card.dataset.name}: {len(data.y):,} applications, {len(card.inputs)} fields, {data.y.mean():.1%} default"
    )
    fit, holdout = split(data, given.seed)
    policy = make_policy(card.policy)
    fields = list(card.inputs.values())

    is_auto = given.model == "auto"
    names = [name for name in CANDIDATES if not CANDIDATES[name].is_optional] if is_auto else [given.model]
    trials: list[Trial] = []
    pipelines, qualities = {}, {}
    with limit_threads(data.X.size), _progress(console) as progress:
        task = progress.add_task("", total=len(names) * (FOLDS + 1))
        for name in names:
            candidate = CANDIDATES[name]
            progress.update(task, description=candidate.title)
            trials.append(try_candidate(candidate, fit, fields, given.seed, lambda: progress.advance(task)))
            pipelines[name] = candidate.build(fields, given.seed).fit(fit.X, fit.y)
            qualities[name] = measure(holdout.y, pipelines[name].predict_proba(holdout.X)[:, 1], policy)
            progress.advance(task)
    chosen = choose(trials)
    name = chosen.candidate.name
    entries = [Entry(trial, qualities[trial.candidate.name]) for trial in trials]
    show_summary(console, holdout.y, entries, chosen, policy)

    origin = trace_origin([path for path in (source.card_path, table.path) if path is not None])
    training = Training(
        estimator=name,
        rows=len(fit.y),
        holdout_rows=len(holdout.y),
        default_rate=float(fit.y.mean()),
        seed=given.seed,
        data_sha256=table.sha256,
        card_sha256=sha256(format_card(card)),
        commit=origin.commit,
        libraries=origin.libraries,
    )
    contract = describe(card, training, origin.trained_at, qualities[name].as_dict())
    content = export(pipelines[name], contract, draw_reference(fit.X, given.seed))
    model = load_model(content)
    with limit_threads(data.X.size), console.status("Proving the exported graph"):
        proof = prove(pipelines[name], model, data.X, given.seed)
    console.print(str(proof))
    if source.card_path is None:
        path = inferred_path(given.out, card)
        write_whole(path, format_card(card))
        console.print(f"Wrote {path}: edit labels, bounds, reasons and costs, then: python -m train {path}")
    path = given.out / "model.onnx"
    write_whole(path, content)
    console.print(
        f"Wrote {path}: {contract.version}, {len(content) / 1024:,.0f} kB, sha256 {model.sha256[:12]}…, "
        f"{time.monotonic() - started:.0f} s in all"
    )


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
        "A model that was fitted elsewhere: python -m train import --help. "
        "Features of relational tables: python -m train features --help",
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
    parser.add_argument("--seed", type=int, default=0, help="of split, folds and fit; default: 0")
    given = parser.parse_args(arguments)
    if (given.card is None) == (given.data is None):
        parser.error("give either a card or --data FILE --target COLUMN")
    if given.data is not None and given.target is None:
        parser.error("--data needs --target COLUMN, the column to predict")
    if given.card is not None and (given.target or given.id or given.default):
        parser.error("--target, --id and --default go with --data; with a card they are written in the card")
    return given


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


def split(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """The part for fitting and choosing, and the hold-out: stratified, seeded."""
    rows = np.arange(len(data.y))
    fit, holdout = train_test_split(rows, test_size=HOLDOUT_SHARE, stratify=data.y, random_state=seed)
    return data.take(np.sort(fit)), data.take(np.sort(holdout))


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


if __name__ == "__main__":
    sys.exit(main())
