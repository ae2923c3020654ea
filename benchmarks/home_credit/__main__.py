"""`python -m benchmarks.home_credit --applications N --out DIR`: write the seven synthetic tables.

The same seed and number give the same tables. truth.csv (or .parquet) has each applicant's probability of default.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from rich.progress import track

from benchmarks.home_credit.applications import draw_applications, draw_truth
from benchmarks.home_credit.credits import draw_credits
from benchmarks.home_credit.draw import Applicants, Columns
from benchmarks.home_credit.history import draw_history

CHUNK_ROWS = 5_000
"""Applicants drawn at a time; with all their rows about a million."""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.home_credit", description=__doc__)
    parser.add_argument("--applications", type=int, default=1_000, metavar="N", help="default: 1000")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv", help="default: csv")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    arguments = parser.parse_args()
    if arguments.applications < 1:
        parser.error(f"--applications is {arguments.applications}, expected at least 1")
    rows = generate(arguments.applications, arguments.out, arguments.format, arguments.seed)
    for name, number in rows.items():
        print(f"{name:22} {number:12,} rows")
    print(f"{'in all':22} {sum(rows.values()):12,} rows in {arguments.out}")


def generate(applications: int, out: Path, kind: str = "csv", seed: int = 0) -> dict[str, int]:
    """Write the tables as DIR/NAME.csv or .parquet; returns the number of rows of each."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    writers: dict[str, Any] = {}
    with ExitStack() as stack:
        for tables in track(
            draw(applications, seed), "Generating", total=-(-applications // CHUNK_ROWS), transient=True
        ):
            for name, columns in tables.items():
                table = pa.table(columns)
                if kind == "csv":
                    # The CSV writer does not support dictionary arrays.
                    table = pa.table({key: _plain(column) for key, column in columns.items()})
                if name not in writers:
                    open_writer = pyarrow.csv.CSVWriter if kind == "csv" else pyarrow.parquet.ParquetWriter
                    writers[name] = stack.enter_context(open_writer(out / f"{name}.{kind}", table.schema))
                writers[name].write_table(table)
                rows[name] = rows.get(name, 0) + len(table)
    return rows


def draw(applications: int, seed: int) -> Iterator[dict[str, Columns]]:
    """Draw all tables, one chunk of applicants at a time."""
    for start in range(0, applications, CHUNK_ROWS):
        random = np.random.default_rng([seed, start])
        number = np.arange(start, min(start + CHUNK_ROWS, applications))
        applicants = Applicants(number, random.normal(size=len(number)))
        probability = draw_truth(applicants)
        yield {
            "application_train": draw_applications(random, applicants, probability),
            "truth": {"SK_ID_CURR": pa.array(applicants.ids), "PROBABILITY": pa.array(probability)},
            **draw_credits(random, applicants),
            **draw_history(random, applicants),
        }


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


if __name__ == "__main__":
    main()
