"""The options that choose decisions on record, of each command that trains, compares or recalibrates on them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from decisions.reading import read_time
from train.errors import TrainingError

MAX_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Selection:
    """Which decisions to read: of a database, made from `start` to before `end`, with the outcomes recorded by `as_of`.

    Times are microseconds since 1970, None for all. `window`: the performance window in days, see `choose_outcomes`.
    `made_by`: SHA-256 of models; decisions of others are left out. Empty for all.
    """

    url: str
    start: int | None = None
    end: int | None = None
    as_of: int | None = None
    window: int | None = None
    made_by: tuple[str, ...] = ()


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """The options that choose decisions on record."""
    what = "a month (2026-03), a day (2026-03-05) or a time (2026-03-05T10:00:00Z); UTC"
    parser.add_argument(
        "--decisions",
        metavar="URL",
        help="take applicants and outcomes from the record of decisions: sqlite:///decisions.db, postgresql://… or the "
        "name of an environment variable that has the URL, such as DECISIONS_URL",
    )
    start, end = _argument(read_time), _argument(partial(read_time, is_end=True))
    parser.add_argument("--from", dest="start", type=start, metavar="TIME", help=f"the first decisions: {what}")
    parser.add_argument("--to", dest="end", type=end, metavar="TIME", help="the last ones; a day or month is included")
    parser.add_argument(
        "--as-of", type=end, metavar="TIME", help="with the outcomes that were recorded by then; default: all"
    )
    parser.add_argument(
        "--maturity",
        dest="window",
        type=_argument(_read_days),
        metavar="DAYS",
        help="performance window, as in python -m monitor backtest: a default counts within so many days of the "
        "decision, and decisions count from that age on, or from the one at which it is known who didn't default, if "
        "that is later; default: read off the record",
    )


def read_selection(options: argparse.Namespace) -> Selection | None:
    """What the command line says of decisions on record; raises TrainingError for a period without a record."""
    if options.decisions is None:
        if (options.start, options.end, options.as_of, options.window) != (None, None, None, None):
            raise TrainingError("--from, --to, --as-of and --maturity choose decisions on record; add --decisions URL")
        return None
    return Selection(options.decisions, options.start, options.end, options.as_of, options.window)


def _argument(read: Callable[[str], int]) -> Callable[[str], int]:
    """What argparse calls: it shows the message of an ArgumentTypeError only."""

    def read_argument(text: str) -> int:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read_argument


def _read_days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MAX_DAYS):
        raise ValueError(f"the window is {text[:20]!r}, expected days from 1 to {MAX_DAYS}, such as 365")
    return int(text)
