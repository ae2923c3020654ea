"""`make bench-portfolio`: rows a second of `python -m score`, of only reading the file, and of scikit-learn.

Ten million synthetic rows of 23 fields in one Parquet file, a tenth of the values missing. Each round measures
everything in turn, so that a busy machine slows both sides of a ratio; shown are the medians of the rounds. Boosting
and reasons are measured on fewer rows, which take a few seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.base import ClassifierMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.explain import MISSING, POLICY, TREES
from benchmarks.synthetic import draw_applicants, make_boosting
from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.session import Matrix
from train.export import draw_reference, export
from train.readers.describe import describe

ROWS, ROW_GROUP, N_FIELDS = 10_000_000, 1_000_000, 23
BOOSTING_ROWS, REASONS_ROWS = 1_000_000, 200_000
SKLEARN_ROWS = 200_000

RATIOS = (
    ("logistic", "reading only"),
    ("logistic", "reading only, cached"),
    ("boosting", "boosting, scikit-learn"),
)

SCORE = """
import re, sys
from pathlib import Path
from score.__main__ import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""
"""Runs `python -m score` and prints the peak of its memory in kB."""


def main() -> None:
    """Make data and models, measure, print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portfolio", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark", action="store_true", help="also compare with the Spark engine on local[2]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(Path(folder), arguments.rows)
        figures: dict[str, list[float]] = {}
        for _ in range(arguments.rounds):
            print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
            for name, measure in benchmark.measures().items():
                figures.setdefault(name, []).append(measure())
                print(f"  {name}: {figures[name][-1]:,.0f} rows/s", flush=True)
        print_medians(figures)
        print(f"peak memory of any run of python -m score: {benchmark.peak_megabytes:,.0f} MB")
        if arguments.spark:
            benchmark.compare_engines()


def print_medians(figures: dict[str, list[float]]) -> None:
    """Print the median of each figure, and of the ratios within a round."""
    for name, rates in figures.items():
        print(f"{name}: {statistics.median(rates):,.0f} rows/s")
    for name, other in RATIOS:
        ratios = [a / b for a, b in zip(figures[name], figures[other], strict=True)]
        print(f"{name} / {other}: {statistics.median(ratios):.2f}")


class Benchmark:
    """Data and models in a folder, and the measurements on them."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows, self.peak_megabytes = folder, rows, 0.0
        X, y = draw_applicants(N_FIELDS, MISSING)
        self.boosting = Pipeline([("classify", make_boosting(TREES))]).fit(X, y)
        logistic = [("fill", SimpleImputer()), ("scale", StandardScaler()), ("classify", LogisticRegression())]
        for name, model in (("boosting", self.boosting), ("logistic", Pipeline(logistic).fit(X, y))):
            (folder / f"{name}.onnx").write_bytes(export_model(model, X))
        self.applicants = next(draw_rows(SKLEARN_ROWS))
        for name, size in (("all", rows), ("boosting", BOOSTING_ROWS), ("reasons", REASONS_ROWS)):
            write_table(folder / f"{name}.parquet", min(size, rows))

    def measures(self) -> dict[str, Callable[[], float]]:
        """The measurements by name; each returns rows a second."""
        return {
            "reading only": self.read,
            "reading only, cached": lambda: self.read(is_cold=False),
            "logistic": lambda: self.score("logistic", "all"),
            "boosting": lambda: self.score("boosting", "boosting"),
            "boosting, scikit-learn": lambda: self.predict(self.boosting),
            "boosting, four reasons": lambda: self.score("boosting", "reasons", "--reasons", "4"),
        }

    def read(self, is_cold: bool = True) -> float:
        """Read the file into record batches, on all cores."""
        source = self.folder / "all.parquet"
        if is_cold:
            drop_from_cache(source)
        started = time.perf_counter()
        with pq.ParquetFile(source) as file:
            for _ in file.iter_batches(1 << 16):
                pass
        return self.rows / (time.perf_counter() - started)

    def predict(self, model: ClassifierMixin) -> float:
        """Predict with scikit-learn on all cores, from a matrix in memory."""
        started = time.perf_counter()
        model.predict_proba(self.applicants)
        return len(self.applicants) / (time.perf_counter() - started)

    def score(self, model: str, table: str, *options: str) -> float:
        """Score a table with `python -m score`; the time for an empty table, its start, is subtracted."""
        source = self.folder / f"{table}.parquet"
        seconds = self.run(model, source, *options) - self.run(model, self.empty_table(), *options)
        rows: int = pq.read_metadata(source).num_rows
        return rows / seconds

    def run(self, model: str, source: Path, *options: str) -> float:
        """Score a file in a process of its own; returns seconds."""
        out = self.folder / f"out-{time.monotonic_ns()}"
        arguments = [str(source), str(out), "--model", str(self.folder / f"{model}.onnx"), *options]
        drop_from_cache(source)
        command = [sys.executable, "-c", SCORE, *arguments]
        started = time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603
        seconds = time.perf_counter() - started
        self.peak_megabytes = max(self.peak_megabytes, int(done.stdout.split()[-1]) / 1024)
        return seconds

    def empty_table(self) -> Path:
        """The path of a table without rows."""
        path = self.folder / "empty.parquet"
        if not path.exists():
            write_table(path, 0)
        return path

    def compare_engines(self) -> None:
        """Score the same rows with both engines and print whether every column is identical."""
        source, found = self.folder / "reasons.parquet", []
        for engine in ("local", "spark"):
            out = self.folder / engine
            model = str(self.folder / "logistic.onnx")
            options = [str(source), str(out), "--model", model, "--reasons", "4", "--engine", engine]
            subprocess.run([sys.executable, "-m", "score", *options, "--spark-master", "local[2]"], check=True)  # noqa: S603
            found.append(pq.read_table(out / "scores").sort_by("id"))
        print("local and Spark are", "identical" if found[0].equals(found[1].cast(found[0].schema)) else "DIFFERENT")


def drop_from_cache(path: Path) -> None:
    """Drop a file from the page cache, so that it is read from disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def export_model(model: Pipeline, X: Matrix) -> bytes:
    """Export a fitted pipeline with a contract without golden rows."""
    fields = tuple(
        Field(f"field {i}", f"Field {i}", "", "number", (), None, None, True, f"why {i}") for i in range(N_FIELDS)
    )
    training = Training("bench", len(X), 0, None, 0, "", "", "", {})
    golden, metrics = Golden((), (), ()), dict[str, float]()
    contract = Contract(CONTRACT_VERSION, "bench", "1", "", fields, POLICY, 0.0, training, metrics, golden)
    return export(describe(model), contract, draw_reference(X, 0))


def draw_rows(rows: int) -> Iterator[Matrix]:
    """Draw applicants like those of the training, one row group at a time."""
    random = np.random.default_rng(1)
    for start in range(0, rows, ROW_GROUP):
        X = random.normal(size=(min(ROW_GROUP, rows - start), N_FIELDS))
        X[random.random(X.shape) < MISSING] = np.nan
        yield X


def write_table(path: Path, rows: int) -> None:
    """Write applicants with an id to Parquet, with pyarrow's default settings."""
    names = [f"field {i}" for i in range(N_FIELDS)]
    schema = pa.schema([("id", pa.int64()), *((name, pa.float64()) for name in names)])
    first = 0
    with pq.ParquetWriter(path, schema) as writer:
        for X in draw_rows(rows):
            columns = [pa.array(column, from_pandas=True) for column in X.T]
            writer.write_table(pa.table([pa.array(np.arange(first, first + len(X))), *columns], schema=schema))
            first += len(X)


if __name__ == "__main__":
    main()
