"""`python -m benchmarks.portfolio`: how fast a portfolio is scored, beside merely reading it and beside scikit-learn.

Ten million synthetic rows of 23 fields in one Parquet file (seeded; a tenth of the cells missing). A round measures
all of it in turn, so that a busy moment hits both sides of a ratio; medians of the rounds, each with the load of the
machine. Boosting and reasons are measured on the first rows only, as many as take some seconds.
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

from benchmarks.explain import POLICY, boosting, draw
from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.session import Matrix
from train.export import draw_reference, export

ROWS, ROW_GROUP, N_FIELDS = 10_000_000, 1_000_000, 23
BOOSTING_ROWS, REASONS_ROWS = 1_000_000, 200_000
SKLEARN_ROWS = 200_000

RATIOS = (
    ("logistic", "merely reading"),
    ("logistic", "merely reading, from memory"),
    ("boosting", "boosting, scikit-learn"),
)

MEASURED = """
import re, sys
from pathlib import Path
from score.__main__ import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""
"""`python -m score`, and at the end the kB of memory that it had at most."""


def main() -> None:
    """Make data and models, measure, print a line a figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portfolio", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spark", action="store_true", help="also compare with the Spark engine on local[2]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), asked.rows)
        figures: dict[str, list[float]] = {}
        for _ in range(asked.rounds):
            print(f"load {os.getloadavg()[0]:.1f}", flush=True)
            for name, measure in bench.measures().items():
                figures.setdefault(name, []).append(measure())
                print(f"  {name}: {figures[name][-1]:,.0f} rows/s", flush=True)
        show(figures)
        print(f"peak memory of any run of python -m score: {bench.peak_megabytes:,.0f} MB")
        if asked.spark:
            bench.compare_engines()


def show(figures: dict[str, list[float]]) -> None:
    """Medians, and medians of the ratios of each round."""
    for name, rates in figures.items():
        print(f"{name}: {statistics.median(rates):,.0f} rows/s")
    for name, other in RATIOS:
        ratios = [a / b for a, b in zip(figures[name], figures[other], strict=True)]
        print(f"{name} / {other}: {statistics.median(ratios):.2f}")


class Bench:
    """The files in a folder, and what is measured on them."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows, self.peak_megabytes = folder, rows, 0.0
        X, y = draw(N_FIELDS)
        self.boosting = Pipeline([("classify", boosting())]).fit(X, y)
        logistic = [("fill", SimpleImputer()), ("scale", StandardScaler()), ("classify", LogisticRegression())]
        for name, model in (("boosting", self.boosting), ("logistic", Pipeline(logistic).fit(X, y))):
            (folder / f"{name}.onnx").write_bytes(export_model(model, X))
        self.applicants = next(draw_rows(SKLEARN_ROWS))
        for name, size in (("all", rows), ("boosting", BOOSTING_ROWS), ("reasons", REASONS_ROWS)):
            write_table(folder / f"{name}.parquet", min(size, rows))

    def measures(self) -> dict[str, Callable[[], float]]:
        """Rows a second of each."""
        return {
            "merely reading": self.read,
            "merely reading, from memory": lambda: self.read(is_cold=False),
            "logistic": lambda: self.score("logistic", "all"),
            "boosting": lambda: self.score("boosting", "boosting"),
            "boosting, scikit-learn": lambda: self.predict(self.boosting),
            "boosting, four reasons": lambda: self.score("boosting", "reasons", "--reasons", "4"),
        }

    def read(self, is_cold: bool = True) -> float:
        """The file into record batches, on all cores, and nothing else."""
        source = self.folder / "all.parquet"
        if is_cold:
            forget(source)
        started = time.perf_counter()
        with pq.ParquetFile(source) as file:
            for _ in file.iter_batches(1 << 16):
                pass
        return self.rows / (time.perf_counter() - started)

    def predict(self, model: ClassifierMixin) -> float:
        """scikit-learn on all cores, from a matrix that is already in memory."""
        started = time.perf_counter()
        model.predict_proba(self.applicants)
        return len(self.applicants) / (time.perf_counter() - started)

    def score(self, model: str, table: str, *more: str) -> float:
        """The command itself, less the time in which it starts."""
        source = self.folder / f"{table}.parquet"
        seconds = self.run(model, source, *more) - self.run(model, self.empty(), *more)
        rows: int = pq.read_metadata(source).num_rows
        return rows / seconds

    def run(self, model: str, source: Path, *more: str) -> float:
        """Seconds of a process that scores a file."""
        out = self.folder / f"out-{time.monotonic_ns()}"
        arguments = [str(source), str(out), "--model", str(self.folder / f"{model}.onnx"), *more]
        forget(source)
        started = time.perf_counter()
        told = subprocess.run([sys.executable, "-c", MEASURED, *arguments], check=True, stdout=subprocess.PIPE)  # noqa: S603
        seconds = time.perf_counter() - started
        self.peak_megabytes = max(self.peak_megabytes, int(told.stdout.split()[-1]) / 1024)
        return seconds

    def empty(self) -> Path:
        """A portfolio without rows."""
        path = self.folder / "empty.parquet"
        if not path.exists():
            write_table(path, 0)
        return path

    def compare_engines(self) -> None:
        """Score the same rows by both engines and compare every column."""
        source, found = self.folder / "reasons.parquet", []
        for engine in ("local", "spark"):
            out = self.folder / engine
            model = str(self.folder / "logistic.onnx")
            asked = [str(source), str(out), "--model", model, "--reasons", "4", "--engine", engine]
            subprocess.run([sys.executable, "-m", "score", *asked, "--spark-master", "local[2]"], check=True)  # noqa: S603
            found.append(pq.read_table(out / "scores").sort_by("id"))
        print("local and Spark are", "identical" if found[0].equals(found[1].cast(found[0].schema)) else "DIFFERENT")


def forget(path: Path) -> None:
    """Take a file out of the system's memory: a portfolio is read once, from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def export_model(model: Pipeline, X: Matrix) -> bytes:
    """A model file around a fitted pipeline."""
    fields = tuple(
        Field(f"field {i}", f"Field {i}", "", "number", (), None, None, True, f"why {i}") for i in range(N_FIELDS)
    )
    training = Training("bench", len(X), 0, None, 0, "", "", "", {})
    golden, metrics = Golden((), (), ()), dict[str, float]()
    contract = Contract(CONTRACT_VERSION, "bench", "1", "", fields, POLICY, 0.0, training, metrics, golden)
    return export(model, contract, draw_reference(X, 0))


def draw_rows(rows: int) -> Iterator[Matrix]:
    """Applicants as those that the models learnt from, a row group at a time."""
    random = np.random.default_rng(1)
    for start in range(0, rows, ROW_GROUP):
        X = random.normal(size=(min(ROW_GROUP, rows - start), N_FIELDS))
        X[random.random(X.shape) < 0.1] = np.nan
        yield X


def write_table(path: Path, rows: int) -> None:
    """Applicants with an id as a Parquet file, the way pandas and pyarrow write one by default."""
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
