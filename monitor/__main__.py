"""`python -m monitor backtest`: is it still the right model? Decisions on record against their outcomes."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from decisions.arguments import add_period
from decisions.replay import ReplayError
from decisions.store import StoreError
from decisions.terminal import CommandError
from model.contract import ContractError
from monitor.commands import run_backtest

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell: 128 + SIGINT."""

DESCRIPTION = """\
Compare the decisions on record with their outcomes: default rate, calibration, AUC, vintages, costs, reviews,
drift of the applicants, and a verdict on the model in service: keep, watch, recalibrate or retrain.

It reads the database only, and writes monitor.html, for people, and monitor.json, for programs."""

EXIT_CODES = """\
exit code: 0; with --gate 1 if the verdict is watch, recalibrate or retrain; 2 if the backtest can't be made, with the
reason; 130 if interrupted. Before outcomes are known, their part is an expectation. See docs/monitor.md."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0, 1 by --gate for a verdict beyond keep, 2 after printing an error, 130 if interrupted."""
    options = _make_parser().parse_args(arguments)
    try:
        return run_backtest(options)
    except (CommandError, ContractError, ReplayError, StoreError, OSError) as error:
        print(f"can't backtest: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _make_parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m monitor", description="Is it still the right model? See docs/monitor.md.")
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    backtest = parsers.add_parser(
        "backtest",
        help="compare decisions with their outcomes, and say what to do",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    backtest.add_argument(
        "--decisions", metavar="URL", help="of the database, or the variable that has it; default: DECISIONS_URL"
    )
    add_period(backtest)
    backtest.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="the model in service; default: that of the newest decision on record",
    )
    backtest.add_argument(
        "--challenger",
        type=Path,
        metavar="FILE",
        help="a model to compare it with, which scores the recorded applicants that it hasn't scored in the shadow; "
        "outcomes that were known before it was trained don't speak for it; default: the challenger on record",
    )
    backtest.add_argument(
        "--maturity",
        type=_read_days,
        metavar="DAYS",
        help="performance window: a default counts within so many days of the decision, and decisions count from that "
        "age on, or from the one at which it is known who didn't default, if that is later. The model's probabilities "
        "are for the window of its training; default: read off the record",
    )
    backtest.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder of the two files; default: the current one"
    )
    backtest.add_argument("--gate", action="store_true", help="exit with 1 unless the verdict is keep, for schedulers")
    return parser


def _read_days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) <= 36_500:
        raise ArgumentTypeError(f"the window is {text[:20]!r}, expected days from 1 to 36500, such as 365")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
