"""The options that say what the rows of a table are: when, of whom, for how many, and in which segments."""

from __future__ import annotations

import argparse
from typing import Any

ROLES = ("time", "weight", "group", "accepted")
"""Options that name a column, which is then no field of the card."""


def add_validation_options(parser: argparse.ArgumentParser) -> None:
    """The options, each as the key of the card with its name."""
    parser.add_argument(
        "--time",
        metavar="COLUMN",
        help="when each applicant applied: the newest are the hold-out, and folds go forward in time",
    )
    parser.add_argument(
        "--time-format", metavar="FORMAT", help="how times are written, such as %%d/%%m/%%Y; default: found"
    )
    parser.add_argument(
        "--since", metavar="TIME", help="with a time: hold out the applicants from this day, month or year on"
    )
    parser.add_argument("--holdout", type=share, metavar="SHARE", help="share of rows that is held out; default: 0.2")
    parser.add_argument("--weight", metavar="COLUMN", help="how many applicants each row stands for")
    parser.add_argument(
        "--group",
        metavar="COLUMN",
        help="such as a person's number: its rows are never both trained and measured on",
    )
    parser.add_argument(
        "--accepted",
        metavar="COLUMN",
        help="of a table with rejected applicants too: who was accepted. Only they are trained and measured on; the "
        "report says what that leaves open",
    )
    parser.add_argument("--accepted-value", metavar="VALUE", help="with --accepted: its value that means accepted")
    parser.add_argument(
        "--segment",
        action="append",
        default=[],
        metavar="COLUMN",
        help="the report has the figures of each of its groups; can be repeated",
    )


def read_validation_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was given of the card's keys of the same names, without --segment."""
    keys = (*ROLES, "time_format", "since", "holdout", "accepted_value")
    return {key: value for key in keys if (value := getattr(options, key)) is not None}


def share(text: str) -> float:
    """A number between 0 and 1, without both."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a share such as 0.2, above 0 and below 1")
    return number
