"""`python -m score IN OUT`: score a portfolio."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from model.contract import ContractError
from model.dialect import Dialect, DialectOptions, TableError, check_options
from model.loading import load_model
from model.session import Model
from score.errors import ScoringError
from score.files import open_portfolio
from score.fingerprints import print_name
from score.local import score_locally
from score.manifest import Counts, make_settings
from score.output import Output
from score.paths import check_output
from score.result_columns import result_schema
from score.scorer import Scorer

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell: 128 + SIGINT."""

SPARK_MASTER = r"yarn|local(\[(\d+|\*)(, *\d+)?\])?|local-cluster\[[\d, ]+\]|(spark|k8s)://\S+"
"""What spark-submit takes; for anything else its Java prints a trace."""

MAX_NAMES = 5
"""Files that are named for each dialect."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print the row counts; 0, or 2 after printing an error, or 130 if interrupted."""
    options = _parse_options(arguments)
    console = Console(stderr=True, highlight=False)
    dialect = DialectOptions(
        {"tab": "\t", "\\t": "\t"}.get(options.separator, options.separator), options.decimal, options.encoding
    )
    try:
        check_options(dialect)
        content = _read_model(Path(options.model))
        scorer = Scorer(load_model(content), options.reasons, options.id, options.inputs)
        run = _run_locally if options.engine == "local" else _run_spark
        rows = run(options, scorer, dialect, content, console)
    except (ScoringError, ContractError, TableError, OSError, pa.ArrowException, MemoryError) as error:
        print(f"can't score: {error or 'not enough memory'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "interrupted; run the same command again: the local engine goes on from the finished parts", file=sys.stderr
        )
        return INTERRUPTED
    print(_summarize(rows, scorer.model, options.output))
    return 0


def _run_locally(
    options: argparse.Namespace, scorer: Scorer, dialect: DialectOptions, content: bytes, console: Console
) -> Counts:
    check_output(options.input, options.output)
    portfolio = open_portfolio(Path(options.input), scorer, dialect)
    _print_ignored(portfolio.ignored, console)
    settings = make_settings(scorer, portfolio.fingerprints, dialect)
    read_as = portfolio.dialects()
    _print_dialects(read_as, console)
    schema = result_schema(portfolio.id_type(scorer), scorer)
    with Output(Path(options.output).resolve(), settings, schema) as output:
        if output.is_finished:
            console.print(f"{options.output} is already finished", soft_wrap=True, markup=False)
            return output.rows()
        with _progress(console) as progress:
            task = progress.add_task("scoring", total=portfolio.size)
            rows = score_locally(
                portfolio, scorer, output, options.threads, lambda units: progress.advance(task, units)
            )
    # The encoding of a table can show after its head.
    _print_dialects(
        {name: dialect for name, dialect in portfolio.dialects().items() if dialect != read_as[name]}, console
    )
    return rows


def _print_ignored(names: Iterable[Path | str], console: Console) -> None:
    for name in names:
        text = f"ignored, not a CSV or Parquet file by its name: {print_name(Path(name))}"
        console.print(text, soft_wrap=True, markup=False)


def _print_dialects(read_as: Mapping[str, Dialect], console: Console) -> None:
    """Each dialect once, with the names of its files."""
    names: dict[Dialect, list[str]] = {}
    for name, dialect in read_as.items():
        names.setdefault(dialect, []).append(name)
    for dialect, files in names.items():
        more = f" and {len(files) - MAX_NAMES:,} more" if len(files) > MAX_NAMES else ""
        text = f"read as: {dialect} ({', '.join(files[:MAX_NAMES])}{more})"
        console.print(text, soft_wrap=True, markup=False)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal)


def _run_spark(
    options: argparse.Namespace, scorer: Scorer, dialect: DialectOptions, content: bytes, console: Console
) -> Counts:
    try:
        from score.spark import score_on_spark
    except ImportError as error:
        raise ScoringError(f"{error}; the Spark engine needs: pip install -r requirements/spark.txt") from error

    def tell(ignored: Iterable[str], read_as: Mapping[str, Dialect]) -> None:
        _print_ignored(ignored, console)
        _print_dialects(read_as, console)

    return score_on_spark(options.input, options.output, scorer, content, dialect, options.spark_master, tell)


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m score",
        description="Score a portfolio: probability, decision, points and reasons for every row of CSV or Parquet "
        "files of any size. Rows that can't be scored go to OUT/rejects with their fault. An interrupted run is "
        "resumed by the same command.",
    )
    parser.add_argument("input", type=_path, metavar="IN", help="a CSV (text) or Parquet file, or a folder of them")
    parser.add_argument(
        "output", type=_path, metavar="OUT", help="the folder to create: scores/, rejects/, manifest.json, _SUCCESS"
    )
    parser.add_argument("--model", type=_path, default="artifacts/model.onnx", help="default: %(default)s")
    parser.add_argument("--id", default="id", metavar="COLUMN", help="the id column; default: %(default)s")
    parser.add_argument(
        "--reasons",
        type=_whole_number(0, 100),
        default=0,
        metavar="N",
        help="at most N reasons for each row; default: none",
    )
    parser.add_argument(
        "--inputs",
        action="store_true",
        help="also write the inputs of each row as the model took them, which `python -m decisions import` records",
    )
    parser.add_argument("--engine", choices=("local", "spark"), default="local", help="default: %(default)s")
    parser.add_argument(
        "--threads",
        type=_whole_number(1, 1024),
        default=len(os.sched_getaffinity(0)),
        help="scoring threads of the local engine; default: all cores",
    )
    parser.add_argument(
        "--spark-master",
        metavar="URL",
        help="as for spark-submit, such as local[2]; default: Spark's settings",
    )
    parser.add_argument("--separator", metavar="CHARACTER", help="of text tables, such as ';' or 'tab'; default: found")
    parser.add_argument("--decimal", choices=(".", ","), help="decimal mark of numbers in text; default: found")
    parser.add_argument("--encoding", metavar="NAME", help="of text tables, such as cp1252; default: found")
    options = parser.parse_args(arguments)
    if options.spark_master is not None and options.engine != "spark":
        parser.error("--spark-master needs --engine spark")
    if options.spark_master is not None and not re.fullmatch(SPARK_MASTER, options.spark_master):
        parser.error(
            f"--spark-master is {options.spark_master!r}, expected one such as local[2], yarn or spark://host:7077"
        )
    return options


def _path(text: str) -> str:
    try:
        is_path = bool(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        is_path = False
    if not is_path:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return text


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and lowest <= int(text) <= highest):
            raise argparse.ArgumentTypeError(f"expected a whole number from {lowest} to {highest}, got {text!r}")
        return int(text)

    return read


def _read_model(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScoringError(f"can't read the model {path}: {error.strerror}; choose another with --model") from error


def _summarize(rows: Counts, model: Model, out: str) -> str:
    name, version = model.contract.name, model.contract.version
    return (
        f"{rows.read:,} rows in = {rows.scored:,} scored + {rows.rejected:,} rejected; "
        f"model {name} {version}, sha256 {model.sha256}; {print_name(Path(out))}"
    )


if __name__ == "__main__":
    sys.exit(main())
