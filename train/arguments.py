"""The command line of `python -m train`; subcommands read their own."""

from __future__ import annotations

import argparse
import math
import shlex
from pathlib import Path

from model.dialect import DialectOptions
from train.candidates import CANDIDATES, LEAVES, MAX_LEAVES, RACED_LEAVES
from train.model_selection import RACE_SECONDS
from train.recorded_options import add_record_options
from train.validation_options import add_validation_options


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a credit model on a table and write it as one exact ONNX file.",
        epilog="Give a dataset card, or --data and --target to have one inferred and written beside the model. "
        "Subcommands, each with its own --help: import (a model fitted elsewhere), compare (challenger and champion on "
        "the same rows), evaluate (one model on new rows with outcomes), recalibrate (a model moved to recent "
        "outcomes), drift (new applicants against the training population), features (relational features of Home "
        "Credit's tables), repository (the folder layout of Triton and KServe).",
    )
    parser.add_argument("card", nargs="?", type=Path, help="dataset card, such as data/credit_data.toml")
    parser.add_argument("--data", type=Path, metavar="FILE", help="a CSV, Excel or Parquet file without a card")
    parser.add_argument("--target", metavar="COLUMN", help="with --data: the column to predict")
    parser.add_argument("--default", metavar="VALUE", help="with --data: the target's value that means default")
    parser.add_argument("--id", metavar="COLUMN", help="with --data: the column that identifies a row")
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="no input of the model; can be repeated"
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="COLUMN",
        help="an input though it alone tells the outcome or is protected; its unusual values are real; can be repeated",
    )
    parser.add_argument(
        "--drop-unlabelled", action="store_true", help="leave out the rows whose target is missing instead of stopping"
    )
    parser.add_argument(
        "--bad-cells",
        choices=["stop", "missing"],
        help="cells that are no numbers in a column of numbers: stop and name them, which is the default, or read them "
        "as missing",
    )
    add_validation_options(parser)
    add_dialect_options(parser)
    parser.add_argument(
        "--model",
        choices=["auto", *CANDIDATES],
        default="auto",
        help="default: auto, the best of " + ", ".join(one.name for one in CANDIDATES.values() if not one.is_optional),
    )
    parser.add_argument(
        "--max-leaves",
        type=leaves,
        metavar="N",
        help=f"leaves of a boosted tree, {LEAVES} to {MAX_LEAVES}; with --search {LEAVES} to N; default: those of the "
        f"best settings of a race, up to {RACED_LEAVES}. Reasons of trees of up to {LEAVES} leaves are relative to a "
        "reference population, those of larger ones path-dependent",
    )
    parser.add_argument("--out", type=Path, default=Path("artifacts"), metavar="DIR", help="default: artifacts")
    parser.add_argument(
        "--seed",
        type=random_seed,
        default=0,
        help="seed of every random choice: hold-out, folds, estimator and search; default: 0",
    )
    parser.add_argument(
        "--search",
        type=whole_number,
        default=1,
        metavar="N",
        help="try N hyperparameter settings of each candidate on the same folds, starting with the best of the "
        "race, or the defaults, and take the best; "
        "needs requirements/search.txt. The same seed gives the same result. Ctrl-C ends the search and trains with "
        "the best settings so far; a second Ctrl-C stops without a model",
    )
    parser.add_argument(
        "--time-limit",
        type=seconds,
        metavar="SECONDS",
        help=f"end the race among settings and the search after this time; default: {RACE_SECONDS:g} for the race, no "
        "limit for the search. Where a limit is reached, the result depends on the speed of the machine",
    )
    parser.add_argument(
        "--mlflow",
        action="store_true",
        help="record every trial in an MLflow store, DIR/mlflow.db or the one that MLFLOW_TRACKING_URI names, instead "
        "of DIR/runs.jsonl; needs requirements/mlflow.txt",
    )
    add_record_options(parser)
    options = parser.parse_args(arguments)
    if (options.card is None) == (options.data is None):
        parser.error("give either a card or --data FILE --target COLUMN")
    if options.decisions is not None and options.card is None:
        parser.error("--decisions needs a card, which says what fields mean: python -m train CARD.toml --decisions URL")
    if options.data is not None and options.target is None:
        parser.error("--data needs --target COLUMN, the column to predict")
    if options.card is not None and (options.target or options.id or options.default):
        parser.error("--target, --id and --default need --data; with a card, set them in the card")
    return options


def format_command(card: Path, options: argparse.Namespace) -> str:
    """The command that trains on a card with the model and the folder of these options."""
    words = ["python", "-m", "train", str(card)]
    words += [] if options.model == "auto" else ["--model", options.model]
    words += [] if options.out == Path("artifacts") else ["--out", str(options.out)]
    return shlex.join(words)


def add_dialect_options(parser: argparse.ArgumentParser) -> None:
    """How a text table is written, where that can't be found from the file."""
    parser.add_argument(
        "--separator", metavar="CHARACTER", help="of a text table, such as ';' or 'tab'; default: found"
    )
    parser.add_argument("--decimal", choices=[".", ","], help="decimal mark of a text table; default: found")
    parser.add_argument("--encoding", metavar="NAME", help="of a text table, such as cp1252; default: found")


def read_dialect_options(options: argparse.Namespace) -> DialectOptions:
    """What the command line says of the dialect."""
    separator = {"tab": "\t", "\\t": "\t"}.get(options.separator, options.separator)
    return DialectOptions(separator, options.decimal, options.encoding)


def merge_options(given: DialectOptions, known: DialectOptions) -> DialectOptions:
    """What the command line says, else what the card says."""
    return DialectOptions(
        given.separator or known.separator, given.decimal or known.decimal, given.encoding or known.encoding
    )


def whole_number(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number of at least 1")
    return number


def leaves(text: str) -> int:
    """Leaves of a tree, within what --max-leaves allows."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not LEAVES <= number <= MAX_LEAVES:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number from {LEAVES} to {MAX_LEAVES}")
    return number


def random_seed(text: str) -> int:
    """A seed as numpy and scikit-learn take it: 0 to 2³² − 1."""
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number from 0 to {2**32 - 1}")
    return number


def seconds(text: str) -> float:
    """A finite number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number of seconds above 0")
    return number
