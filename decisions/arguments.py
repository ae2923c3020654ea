"""The options of each command of `python -m decisions`."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from functools import partial
from pathlib import Path

from decisions.chain import now
from decisions.reading import read_time
from decisions.retention import read_age


def _argument(read: Callable[[str], int]) -> Callable[[str], int]:
    """What argparse calls: it shows the message of an ArgumentTypeError only."""

    def read_argument(text: str) -> int:
        try:
            return read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return read_argument


def add_period(parser: ArgumentParser) -> None:
    """The first and the last decisions, as `start` and `end`: microseconds since 1970, or None."""
    start, end = _argument(read_time), _argument(partial(read_time, is_end=True))
    what = "a month (2026-03), a day (2026-03-05) or a time (2026-03-05T10:00:00Z); UTC"
    parser.add_argument("--from", dest="start", type=start, metavar="TIME", help=f"the first decisions: {what}")
    parser.add_argument("--to", dest="end", type=end, metavar="TIME", help="the last ones; a day or month is included")


def add_verify_options(parser: ArgumentParser) -> None:
    """What `verify` compares with, and writes."""
    parser.add_argument("--write-seal", type=Path, metavar="FILE", help="write the heads of all chains, if all is well")
    parser.add_argument("--against", type=Path, metavar="FILE", help="a seal that the chains must still contain")


def add_replay_options(parser: ArgumentParser) -> None:
    """The period to replay, and the report."""
    add_period(parser)
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")


def add_export_options(parser: ArgumentParser) -> None:
    """What to export, and where to."""
    add_period(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the .parquet or .jsonl file to write")
    parser.add_argument("--applicant", metavar="ID", help="all that is held of one applicant, as JSON lines")


def add_outcomes_options(parser: ArgumentParser) -> None:
    """The file of outcomes, and what to do with bad lines."""
    parser.add_argument(
        "file",
        type=Path,
        help="CSV or Parquet with the columns decision_id or applicant, date, defaulted and, if known, amount_lost",
    )
    parser.add_argument("--skip-bad", action="store_true", help="record the good lines where others are bad")


def _add_yes(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="don't ask")


def add_erase_options(parser: ArgumentParser) -> None:
    """Whose data to erase."""
    parser.add_argument("--applicant", required=True, metavar="ID", help="as given with the applications")
    _add_yes(parser)


def add_import_options(parser: ArgumentParser) -> None:
    """Which scores to record, of which model."""
    what = "the model that scored it; default: %(default)s"
    parser.add_argument("out", type=Path, metavar="OUT", help="the finished OUT of python -m score --inputs")
    parser.add_argument("--model", type=Path, default=Path("artifacts/model.onnx"), metavar="FILE", help=what)


def add_prune_options(parser: ArgumentParser) -> None:
    """How old what is deleted must be."""
    age = _argument(lambda text: read_age(text, now()))
    parser.add_argument(
        "--older-than",
        dest="before",
        type=age,
        required=True,
        metavar="AGE",
        help="days, months or years: 90d, 26m, 3y",
    )
    _add_yes(parser)
