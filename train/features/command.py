"""`python -m train features`: seven tables → one row an applicant → features.parquet and its card.

The story, top to bottom. Files and columns are checked before an engine starts; each table is aggregated to one
row an applicant, near-duplicates are dropped, the rest is written side by side, and renamed into place when
whole.
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
from train.features.compute import NAMES, check_computable, compute, find_sources, list_remarks, read_all_levels
from train.features.engines import DuckDB, Engine, Spark
from train.features.output import choose_columns, write

STEPS_BESIDE_TABLES = 4
"""Starting the engine, the applications, looking for near-duplicates, writing."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train features",
        description="Compute the relational features of Home Credit's seven tables: one row an applicant, and a card "
        "to train from. The tables are CSV, CSV.GZ or Parquet, with Kaggle's names.",
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
        help="compute exactly the fields of this card, for applications to score: nothing dropped, no target needed",
    )
    parser.add_argument(
        "--applications",
        default=application.FILE,
        metavar="NAME",
        help=f"the table of the applications; default: {application.FILE}",
    )
    parser.add_argument(
        "--without", default="", metavar="TABLE,…", help=f"leave tables out on purpose: {', '.join(NAMES)}"
    )
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb", help="default: duckdb")
    parser.add_argument("--spark-master", default="local[*]", metavar="URL", help="default: local[*]")
    parser.add_argument(
        "--memory", default="4GB", help="of the engine; DuckDB spills what needs more beside --out; default: 4GB"
    )
    given = parser.parse_args(arguments)
    given.without = [name for name in given.without.split(",") if name]
    for name in given.without:
        if name not in NAMES:
            parser.error(f"--without {name!r} is no table, expected some of: {','.join(NAMES)}")
    return given


def run(given: argparse.Namespace, console: Console) -> None:
    """Compute features as asked and write them with their card; raises TrainingError."""
    started = time.monotonic()
    like = read_card(given.like) if given.like else None
    levels = read_all_levels(like.fields) if like else None
    if like is None:
        check_replaceable(given.card)
    sources = find_sources(given.folder, given.applications, given.without, needs_target=like is None)
    if like is not None and levels is not None:
        check_computable(like, sources, levels)
    for remark in list_remarks(sources):
        console.print(f"note: {remark}", style="yellow", markup=False)

    with _scratch(given.out) as scratch, _progress(console) as progress:
        task = progress.add_task("", total=len(sources.tables) + STEPS_BESIDE_TABLES)

        def step(title: str) -> None:
            progress.update(task, description=title, advance=1)

        step(f"Starting {given.engine}")
        with closing(start_engine(given, scratch)) as engine:
            table = compute(sources, levels, engine, scratch, step)
        step("Looking for near-duplicates" if like is None else "Looking at the result")
        chosen = choose_columns(table, like)
        step(f"Writing {given.out}")
        lines = write(table, chosen, given.out, given.card if like is None else None)
    for line in lines:
        console.print(line)
    console.print(f"{time.monotonic() - started:.0f} s in all")


def start_engine(given: argparse.Namespace, scratch: Path) -> Engine:
    """The engine that was asked for."""
    if given.engine == "spark":
        return Spark(given.spark_master, given.memory)
    return DuckDB(scratch / "spill", given.memory)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A hidden folder beside the result, gone afterwards: as much room as the result will need, and no other disk's."""
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
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
