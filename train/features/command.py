"""`python -m train features`: seven tables → one row per applicant → features.parquet and its card.

The whole command, from top to bottom. Files and columns are checked before an engine starts; each table is aggregated
to one row per applicant, near-duplicate columns are dropped, and the result replaces the old file when complete.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from train.card import read_card
from train.errors import TrainingError
from train.features import application
from train.features.card import check_replaceable
from train.features.compute import NAMES, check_computable, compute, find_sources, list_column_notes, read_card_levels
from train.features.engines import DuckDB, Engine, Spark
from train.features.output import select_columns, write

OTHER_STEPS = 4
"""Progress steps beside the tables: engine, applications, near-duplicates, writing."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train features",
        description="Compute the relational features of Home Credit's seven tables: one row per applicant, and a "
        "card to train from. The tables are CSV, CSV.GZ or Parquet, with Kaggle's names.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the seven tables")
    parser.add_argument(
        "--out", type=Path, default=Path("features.parquet"), metavar="FILE", help="default: features.parquet"
    )
    parser.add_argument(
        "--card",
        type=Path,
        default=Path("data/home_credit.toml"),
        metavar="FILE",
        help="where the card goes; default: data/home_credit.toml",
    )
    parser.add_argument(
        "--like",
        type=Path,
        metavar="CARD",
        help="compute exactly the fields of this card, for applications to score; no target is needed",
    )
    parser.add_argument(
        "--applications",
        default=application.FILE,
        metavar="NAME",
        help=f"the table of the applications; default: {application.FILE}",
    )
    parser.add_argument("--without", default="", metavar="TABLE,…", help=f"leave out some tables: {', '.join(NAMES)}")
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb", help="default: duckdb")
    parser.add_argument("--spark-master", default="local[*]", metavar="URL", help="default: local[*]")
    parser.add_argument(
        "--memory", default="4GB", help="of the engine; DuckDB spills to a folder beside --out; default: 4GB"
    )
    options = parser.parse_args(arguments)
    options.without = [name for name in options.without.split(",") if name]
    for name in options.without:
        if name not in NAMES:
            parser.error(f"--without {name!r} is no table, expected some of: {','.join(NAMES)}")
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Compute features and write them with their card; the exit code. Raises TrainingError."""
    started = time.monotonic()
    like = read_card(options.like) if options.like else None
    levels = read_card_levels(like.fields) if like else None
    if like is None:
        check_replaceable(options.card)
    sources = find_sources(options.folder, options.applications, options.without, needs_target=like is None)
    if like is not None and levels is not None:
        check_computable(like, sources, levels)
    for note in list_column_notes(sources):
        console.print(f"note: {note}", style="yellow", markup=False)

    with _scratch(options.out) as scratch, _progress(console) as progress:
        task = progress.add_task("", total=len(sources.tables) + OTHER_STEPS)

        def step(title: str) -> None:
            progress.update(task, description=title, advance=1)

        step(f"Starting {options.engine}")
        with closing(start_engine(options, scratch)) as engine:
            table = compute(sources, levels, engine, scratch, step)
        step("Finding near-duplicates" if like is None else "Profiling columns")
        columns = select_columns(table, like)
        step(f"Writing {options.out}")
        lines = write(table, columns, options.out, options.card if like is None else None)
    for line in lines:
        console.print(line)
    console.print(f"{time.monotonic() - started:.0f} s in all")
    return 0


def start_engine(options: argparse.Namespace, scratch: Path) -> Engine:
    """The engine that was asked for."""
    if options.engine == "spark":
        return Spark(options.spark_master, options.memory)
    return DuckDB(scratch / "spill", options.memory)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A temporary folder on the disk of the result, removed afterwards."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise TrainingError(f"can't write beside {out}: {error.strerror}; choose another place with --out") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<40}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)
