"""The Spark engine: `score_batches` in the tasks of a cluster, through DataFrame.mapInArrow.

The bytes of the model file are broadcast; each task loads and checks them as the service does. The code of model/ and
score/ is sent to the workers, which need the libraries of requirements/score.txt. IN and OUT may be any path that
Spark reads and writes; OUT has the layout of the local engine, without manifest.json, and is renamed when complete.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import Broadcast, StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType

from model.loading import load_model
from score.batches import Scorer, score_batches
from score.errors import ScoringError
from score.java import check_java
from score.local import check_counts
from score.output import Counts
from score.portfolio import check_columns
from score.rejects import MALFORMED, REJECT_COLUMNS
from score.result_columns import result_schema, scored_columns


def score_on_spark(source: str, out: str, scorer: Scorer, content: bytes, master: str | None) -> Counts:
    """Score the tables of `source` into `out` and return the row counts.

    `content`: the bytes of the scorer's model file. Raises ScoringError if there is no Java, a column is missing or
    has a wrong type, OUT exists, or Spark fails.
    """
    check_java()
    with start_spark(master) as spark:
        try:
            return _score(spark, source, out, scorer, content)
        except PySparkException as error:
            raise ScoringError(f"Spark failed: {_root_cause(error)}") from error


@contextmanager
def start_spark(master: str | None) -> Iterator[SparkSession]:
    """A Spark session with our code on its workers; `master` as in spark-submit, None for Spark's own settings."""
    # No web interface, which nobody would see, and no log, because errors are reported by the exception.
    settings: dict[str, bool | float | int | str | None] = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        "spark.sql.session.timeZone": "UTC",
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


def _root_cause(error: Exception) -> str:
    """The cause in a message of many lines: the last line of a Python worker's traceback, or the first line."""
    lines = str(error).splitlines()
    exceptions = [line for line in lines if re.match(r"[\w.]+(Error|Exception)?: ", line)]
    return exceptions[-1] if exceptions else lines[0]


def _score(spark: SparkSession, source: str, out: str, scorer: Scorer, content: bytes) -> Counts:
    folder = _Folder(spark, out)
    if folder.exists():
        raise ScoringError(f"{out} exists; remove it, or choose another OUT")
    applicants = _read(spark, _Folder(spark, source), scorer)
    schema = _without_dictionaries(
        result_schema(to_arrow_schema(applicants.schema).field(scorer.id).type, scorer.reasons)
    )
    task = _make_task(spark.sparkContext.broadcast(content), scorer.reasons, scorer.id, schema)
    results = applicants.mapInArrow(task, from_arrow_schema(schema)).persist(StorageLevel.DISK_ONLY)
    draft = f"{folder.path}.unfinished"
    results.where("fault IS NULL").select(scored_columns(scorer.reasons)).write.parquet(f"{draft}/scores", "overwrite")
    results.where("fault IS NOT NULL").select(*REJECT_COLUMNS).write.parquet(f"{draft}/rejects", "overwrite")
    written = [spark.read.parquet(f"{draft}/{name}").count() for name in ("scores", "rejects")]
    rows = Counts(applicants.count(), *written)
    check_counts(rows, None)
    folder.publish(draft)
    return rows


def _read(spark: SparkSession, source: _Folder, scorer: Scorer) -> DataFrame:
    """The columns of the scorer; cells of CSV files as text, as the local engine reads them."""
    if any(name.endswith((".csv", ".csv.gz")) for name in source.names()):
        # Quotes as in RFC 4180. enforceSchema: a header that differs from that of the first file is an error.
        options: dict[str, Any] = {
            "header": True,
            "quote": '"',
            "escape": '"',
            "multiLine": True,
            "enforceSchema": False,
        }
        names = [name.strip() for name in spark.read.csv(source.path, **options).columns]
        schema = StructType([StructField(name, StringType()) for name in (*names, MALFORMED)])
        table = spark.read.csv(source.path, schema, columnNameOfCorruptRecord=MALFORMED, **options)
        columns = [*scorer.columns, MALFORMED]
    else:
        table, columns = spark.read.parquet(source.path), scorer.columns
    check_columns(to_arrow_schema(table.schema), scorer, source.path)
    return table.select(*["`" + name.replace("`", "``") + "`" for name in columns])


def _make_task(
    model: Broadcast[bytes], reasons: int, id: str, schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that each task runs on its rows, on a worker."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = Scorer(load_model(model.value), reasons, id)
        for results in score_batches(batches, scorer):
            yield results.cast(schema)

    return score


def _without_dictionaries(schema: pa.Schema) -> pa.Schema:
    """The schema with strings instead of dictionaries, which Spark doesn't support."""
    return pa.schema(
        [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in schema]
    )


class _Folder:
    """A path on any file system that Spark supports (disk, HDFS, S3, …), accessed through Spark."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path.rstrip("/")
        context: Any = spark.sparkContext
        self._path = context._jvm.org.apache.hadoop.fs.Path
        self._files = self._path(self.path).getFileSystem(context._jsc.hadoopConfiguration())

    def exists(self) -> bool:
        return bool(self._files.exists(self._path(self.path)))

    def names(self) -> list[str]:
        """The names of the files in the folder, or of the file itself."""
        if not self.exists():
            raise ScoringError(f"{self.path} doesn't exist; check the path")
        return [status.getPath().getName() for status in self._files.listStatus(self._path(self.path))]

    def publish(self, draft: str) -> None:
        """Add _SUCCESS to a complete draft, and rename it to this path."""
        self._files.create(self._path(f"{draft}/_SUCCESS")).close()
        if not self._files.rename(self._path(draft), self._path(self.path)):
            raise ScoringError(f"Spark can't rename {draft} to {self.path}; rename it by hand, it is complete")


def _pack_code(folder: Path) -> Path:
    """Write the code of model/ and score/ into a zip file for the workers."""
    root = Path(__file__).resolve().parent.parent
    path = folder / "credit_score.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for source in sorted([*(root / "model").glob("*.py"), *(root / "score").glob("*.py")]):
            archive.write(source, source.relative_to(root).as_posix())
    return path
