"""A Spark session with our code on its workers, and what went wrong in it, in one sentence."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from score.csv import describe_damaged
from score.errors import ScoringError
from score.spark_text import normalize_path

SPARK_ERRORS = (PySparkException, Py4JError)
"""What Spark raises; some errors of its tasks arrive as those of Java."""


@contextmanager
def start_spark(master: str | None) -> Iterator[SparkSession]:
    """A Spark session with our code on its workers; `master` as in spark-submit, None for Spark's own settings."""
    # No web interface, which nobody would see, and no log, because errors are reported by the exception.
    settings: dict[str, bool | float | int | str | None] = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "true",
    }
    builder = SparkSession.builder.appName("score")
    if master is not None:
        builder = builder.master(master)
    if master is not None and master.startswith("local"):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # Only Arrow data is exchanged, so Spark's warning about pandas doesn't apply.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        spark = builder.config(map=settings).getOrCreate()
        spark.sparkContext.setLogLevel("FATAL")
        spark.sparkContext.addPyFile(str(_pack_code(Path(folder))))
        try:
            yield spark
        finally:
            spark.stop()


def translate(error: Exception, names: Mapping[str, str]) -> ScoringError:
    """What Spark reports in many lines as one sentence. `names`: of the files, by their key."""
    text = str(error)
    if found := re.search(r"reading file (\S+)\.\s", text):
        name = names.get(normalize_path(found[1]), found[1])
        return ScoringError(describe_damaged(name) if name.endswith(".gz") else f"Spark can't read {name}")
    lines = [line.removeprefix(": ") for line in text.splitlines()] or [type(error).__name__]
    exceptions = [line for line in lines if re.match(r"[\w.]+(Error|Exception)?: ", line)]
    cause = exceptions[-1] if exceptions else lines[0]
    ours = cause.removeprefix(f"{ScoringError.__module__}.{ScoringError.__name__}: ")
    return ScoringError(ours if ours != cause else f"Spark failed: {cause}")


def _pack_code(folder: Path) -> Path:
    """Write the code of model/ and score/ into a zip file for the workers."""
    root = Path(__file__).resolve().parent.parent
    path = folder / "credit_score.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for source in sorted([*(root / "model").glob("*.py"), *(root / "score").glob("*.py")]):
            archive.write(source, source.relative_to(root).as_posix())
    return path
