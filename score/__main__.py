"""`python -m score IN OUT`: score a portfolio."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from model.contract import ContractError
from model.loading import load_model
from model.session import Model
from score.batches import Scorer
from score.errors import ScoringError
from score.files import open_portfolio
from score.local import score_locally
from score.output import LAYOUT_VERSION, Counts, Output, RunSettings
from score.result_columns import scored_columns


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print the row counts; 0, or 2 after printing an error."""
    options = _parse_options(arguments)
    console = Console(stderr=True, highlight=False)
    try:
        content = _read_model(options.model)
        scorer = Scorer(load_model(content), options.reasons, options.id)
        is_local = options.engine == "local"
        rows = _run_locally(options, scorer, console) if is_local else _run_spark(options, scorer, content)
    except (ScoringError, ContractError) as error:
        print(f"can't score: {error}", file=sys.stderr)
        return 2
    print(_summarize(rows, scorer.model, options.output))
    return 0


def _run_locally(options: argparse.Namespace, scorer: Scorer, console: Console) -> Counts:
    portfolio = open_portfolio(Path(options.input))
    for path in portfolio.ignored:
        console.print(f"ignored, not a CSV or Parquet file by its name: {path}", soft_wrap=True, markup=False)
    id_type = portfolio.check(scorer)
    contract = scorer.model.contract
    settings = RunSettings(
        LAYOUT_VERSION,
        contract.name,
        contract.version,
        scorer.model.sha256,
        scorer.id,
        scorer.reasons,
        portfolio.fingerprint(),
        tuple(scored_columns(scorer.reasons)),
    )
    with Output(Path(options.output), settings, id_type) as output:
        if output.is_finished:
            console.print(f"{options.output} is already finished", soft_wrap=True, markup=False)
            return output.rows()
        with _progress(console) as progress:
            task = progress.add_task("scoring", total=portfolio.size)
            return score_locally(
                portfolio, scorer, output, options.threads, lambda units: progress.advance(task, units)
            )


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal)


def _run_spark(options: argparse.Namespace, scorer: Scorer, content: bytes) -> Counts:
    try:
        from score.spark import score_on_spark
    except ImportError as error:
        raise ScoringError(f"{error}; the Spark engine needs: pip install -r requirements/spark.txt") from error
    return score_on_spark(options.input, options.output, scorer, content, options.spark_master)


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m score",
        description="Score a portfolio: probability, decision, points and reasons for every row of CSV or Parquet "
        "files of any size. Rows that can't be scored go to OUT/rejects with their fault. An interrupted run is "
        "resumed by the same command.",
    )
    parser.add_argument("input", metavar="IN", help="a CSV or Parquet file, or a folder of them")
    parser.add_argument(
        "output", metavar="OUT", help="the folder to create: scores/, rejects/, manifest.json, _SUCCESS"
    )
    parser.add_argument("--model", type=Path, default=Path("artifacts/model.onnx"), help="default: %(default)s")
    parser.add_argument("--id", default="id", metavar="COLUMN", help="the id column; default: %(default)s")
    parser.add_argument(
        "--reasons",
        type=_whole_number(0, 100),
        default=0,
        metavar="N",
        help="at most N reasons for each row; default: none",
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
    return parser.parse_args(arguments)


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
        f"model {name} {version}, sha256 {model.sha256}; {out}"
    )


if __name__ == "__main__":
    sys.exit(main())
