"""The command line of `python -m train import`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from train.arguments import add_dialect_options, random_seed
from train.importing.weights import Prior


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train import",
        description="Export a fitted model as model.onnx, with reasons, golden rows and a card to complete.",
    )
    parser.add_argument(
        "--pipeline",
        type=Path,
        metavar="FILE",
        help="a fitted pipeline or classifier, a dict of it with scaler, columns and threshold, or an MLflow folder; "
        ".skops, .joblib, .pkl, .json and .ubj of XGBoost, .txt of LightGBM, .cbm of CatBoost",
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="a fitted classifier alone")
    parser.add_argument("--scaler", type=Path, metavar="FILE", help="with --model: the fitted scaler before it")
    parser.add_argument("--key", metavar="NAME", help="of a dict with several classifiers: the one that is meant")
    parser.add_argument(
        "--trust", action="store_true", help="load pickles, which run the code in them: only from a trusted source"
    )
    parser.add_argument(
        "--requirements",
        type=Path,
        metavar="FILE",
        help="of a pickle that the libraries here can't read: the versions that it was made with, such as "
        "scikit-learn==1.0.2, one a line; it is read beside them, in an environment that uv builds",
    )
    parser.add_argument(
        "--default", metavar="CLASS", help="the model's class that means default; asked for where its name doesn't tell"
    )
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument(
        "--threshold",
        type=read_share,
        metavar="P",
        help="refuse from this probability of default on, as the model itself gives it; asked for, as --costs, where "
        "neither the card nor the file has a rule",
    )
    rule.add_argument(
        "--costs",
        type=read_costs,
        metavar="DEFAULT:GOOD",
        help="costs of an accepted default and of a refused good applicant, which the threshold follows from",
    )
    parser.add_argument(
        "--prior",
        type=read_prior,
        metavar="RATE[:SHARE]",
        help="correct the probabilities of a model that was fitted with class weights or resampled rows: the default "
        "rate of the population, and the share of defaults in the weighted rows where the model doesn't tell it",
    )
    parser.add_argument("--card", type=Path, metavar="CARD", help="the completed card of an earlier import")
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="TABLE",
        help="applicants that contributions are relative to, and that `drift` compares new applicants with; they also "
        "give names to columns without one",
    )
    parser.add_argument(
        "--target", metavar="COLUMN", help="with --reference: the outcomes in it, to show the calibration"
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
    if options.target is not None and options.reference is None:
        parser.error("--target needs --reference TABLE, which has the outcomes")
    return options


def read_share(text: str) -> float:
    """A share above 0 and below 1, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number above 0 and below 1, such as 0.35")
    return number


def read_costs(text: str) -> tuple[float, float]:
    """DEFAULT:GOOD, two costs above 0, for argparse."""
    try:
        costs = tuple(float(part) for part in text.split(":"))
    except ValueError:
        costs = ()
    if len(costs) != 2 or not all(0 < cost < math.inf for cost in costs):
        raise argparse.ArgumentTypeError(f"{text!r} isn't two costs above 0, such as 5:1")
    return costs[0], costs[1]


def read_prior(text: str) -> Prior:
    """RATE, or RATE:SHARE, for argparse."""
    parts = [read_share(part) for part in text.split(":")]
    if len(parts) > 2:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a rate such as 0.08, or two such as 0.08:0.5")
    return Prior(*parts)
