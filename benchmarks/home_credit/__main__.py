"""`python -m benchmarks.home_credit --applications N --out DIR`: the seven made-up tables, chunk by chunk to disk.

The same seed and number give the same tables. truth.csv (or .parquet) has the true probability of each applicant.
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
from benchmarks.home_credit.draw import Columns, People
from benchmarks.home_credit.history import draw_history

CHUNK = 5_000
"""Applicants drawn at a time, with all their rows: about a million."""


def main() -> None:
    """Generate as asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.home_credit", description=__doc__)
    parser.add_argument("--applications", type=int, default=1_000, metavar="N", help="default: 1000")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv", help="default: csv")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    given = parser.parse_args()
    if given.applications < 1:
        parser.error(f"--applications is {given.applications}, expected at least 1")
    rows = generate(given.applications, given.out, given.format, given.seed)
    for name, number in rows.items():
        print(f"{name:22} {number:12,} rows")
    print(f"{'in all':22} {sum(rows.values()):12,} rows in {given.out}")


def generate(applications: int, out: Path, kind: str = "csv", seed: int = 0) -> dict[str, int]:
    """Write the tables as DIR/NAME.csv or .parquet; returns the number of rows of each."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    writers: dict[str, Any] = {}
    with ExitStack() as stack:
        for tables in track(draw(applications, seed), "Generating", total=-(-applications // CHUNK), transient=True):
            for name, columns in tables.items():
                table = pa.table(columns)
                if kind == "csv":
                    # Its writer takes no dictionaries.
                    table = pa.table({key: _plain(column) for key, column in columns.items()})
                if name not in writers:
                    open_writer = pyarrow.csv.CSVWriter if kind == "csv" else pyarrow.parquet.ParquetWriter
                    writers[name] = stack.enter_context(open_writer(out / f"{name}.{kind}", table.schema))
                writers[name].write_table(table)
                rows[name] = rows.get(name, 0) + len(table)
    return rows


def draw(applications: int, seed: int) -> Iterator[dict[str, Columns]]:
    """All tables of one chunk of applicants after the other."""
    for start in range(0, applications, CHUNK):
        random = np.random.default_rng([seed, start])
        number = np.arange(start, min(start + CHUNK, applications))
        people = People(number, random.normal(size=len(number)))
        probability = draw_truth(people)
        yield {
            "application_train": draw_applications(random, people, probability),
            "truth": {"SK_ID_CURR": pa.array(people.ids), "PROBABILITY": pa.array(probability)},
            **draw_credits(random, people),
            **draw_history(random, people),
        }


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


if __name__ == "__main__":
    main()
