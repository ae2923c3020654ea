"""`make bench-scorecard`: scorecard.sql and scorecard.xlsx against the graph, row by row.

A scorecard with pairs is fitted on each table. Every row of it, and 100,000 generated ones at and beside the edges of
bins, get their points from the graph, from SQLite, DuckDB and PostgreSQL, and from LibreOffice. Prints how many differ.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from msgspec import structs
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.quality import CREDIT_CARD, SEED, read
from model.contract import Contract, Training
from model.loading import load_model
from tests.postgres_server import PostgresServer
from tests.train.points_table.engines import read_batch, recalculate, run_duckdb, run_postgres, run_sqlite
from tests.train.points_table.scorecards import draw_applicants, round_digits
from train.candidates import CANDIDATES
from train.card import Card
from train.contract import make_contract
from train.dataset import Dataset, Matrix
from train.export import draw_reference, export
from train.points_table.bins import ContractScorecard
from train.points_table.sql import render_sql
from train.points_table.workbook import render_workbook
from train.policy import make_policy
from train.readers.describe import describe

GENERATED_ROWS = 100_000

SHEET_ROWS = 10_000
"""Rows of one workbook: LibreOffice takes more, but slowly."""


def main() -> None:
    """Measure every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taiwan", type=Path, help="UCI's Default of Credit Card Clients as CSV")
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--sheet-rows", type=int, help="of each table, in LibreOffice; default: all")
    arguments = parser.parse_args()
    tables: list[tuple[Path, str | None]] = [(CREDIT_CARD, None)]
    if arguments.taiwan:
        tables.append((arguments.taiwan, "default"))
    console = Console(width=120)
    grid = Grid("table", "rows", "engine", "rows whose points differ from the graph's", "seconds")
    with PostgresServer(is_synced=False) as server:
        for path, target in tables:
            card, data = read(path, target)
            content = fit(card, data, arguments.pairs)
            generated = round_digits(draw_applicants(describe_scorecard(content), GENERATED_ROWS, SEED))
            for name, X in ((path.stem, data.X), (f"{path.stem}, generated", generated)):
                for engine, differ, seconds, rows in compare(
                    content, X, server.create_database(), arguments.sheet_rows
                ):
                    grid.add_row(name, f"{rows:,}", engine, str(differ), f"{seconds:.1f}")
                    console.print(f"{name}, {rows:,} rows, {engine}: {differ} differ, {seconds:.1f} s")
    console.print(grid)


def fit(card: Card, data: Dataset, pairs: int) -> bytes:
    """The file of a scorecard of all rows."""
    pipeline = CANDIDATES["scorecard"].with_card(card).build(list(card.inputs.values()), SEED, {"pairs": pairs})
    pipeline.fit(data.X, data.y)
    training = Training("scorecard", len(data.y), 0, float(data.y.mean()), SEED, "", "", "", {})
    policy = make_policy(card.policy, card.inputs, data.X)
    contract = make_contract(card, training, "2026-01-01T00:00:00Z", {}, policy)
    contract = structs.replace(contract, scorecard=pipeline[-1].scorecard_)
    return export(describe(pipeline), contract, draw_reference(data.X, SEED))


def describe_scorecard(content: bytes) -> ContractScorecard:
    """The scorecard of a file; raises ValueError if it is none."""
    contract: Contract = load_model(content).contract
    if contract.scorecard is None:
        raise ValueError("the model is no scorecard")
    return ContractScorecard(contract, contract.scorecard)


def compare(content: bytes, X: Matrix, url: str, sheet_rows: int | None) -> Iterator[tuple[str, int, float, int]]:
    """Engine, rows with other points than the graph's, seconds, rows."""
    model, table = load_model(content), describe_scorecard(content)
    fields = table.contract.fields
    expected = table.contract.policy.score_points(model.score(X).probability)
    sql = render_sql(table, "applicants").decode()
    engines: dict[str, Callable[[], pd.DataFrame]] = {
        "SQLite": lambda: run_sqlite(sql, fields, X),
        "DuckDB": lambda: run_duckdb(sql, fields, X),
        "PostgreSQL": lambda: run_postgres(url, sql, fields, X),
    }
    for engine, run in engines.items():
        with clock() as seconds:
            found = run()["points"].to_numpy()
        yield engine, int((found != expected).sum()), seconds[0], len(X)
    rows = X[:sheet_rows]
    differ = 0
    with clock() as seconds, tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(rows), SHEET_ROWS):
            part = rows[start : start + SHEET_ROWS]
            book = recalculate("soffice", render_workbook(table, part), Path(folder))
            differ += int((read_batch(book, len(table.fields))["Points"] != expected[start : start + len(part)]).sum())
    yield "LibreOffice", differ, seconds[0], len(rows)


@contextmanager
def clock() -> Iterator[list[float]]:
    """A list that gets the elapsed seconds of the block: other processes do the work."""
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
