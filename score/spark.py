"""The Spark engine: the same function in the tasks of a cluster, through DataFrame.mapInArrow.

The model's bytes are broadcast; each task opens one session and proves it as the service does. Code of model/ and
score/ travels along; the workers need the libraries of requirements-score.txt. IN and OUT may be anything that
Spark reads and writes; OUT has the layout of the local engine and appears whole at the end, with _SUCCESS.
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
from score.answers import REJECT_COLUMNS, answer_schema, scored_columns
from score.batches import MALFORMED, Scorer, score_batches
from score.errors import ScoringError
from score.java import check_java
from score.local import check_counts
from score.output import Counts
from score.portfolio import check_columns


def score_on_spark(source: str, out: str, scorer: Scorer, content: bytes, master: str | None) -> Counts:
    """Score a path that Spark reads into OUT; what became of the rows.

    `content`: the bytes of the scorer's model. Raises ScoringError if there is no Java, a column is missing or of
    a wrong type, OUT exists, or Spark fails.
    """
    check_java()
    with start_spark(master) as spark:
        try:
            return _score(spark, source, out, scorer, content)
        except PySparkException as error:
            raise ScoringError(f"Spark failed: {_last_words(error)}") from error


@contextmanager
def start_spark(master: str | None) -> Iterator[SparkSession]:
    """A session that carries our code; `master` as spark-submit takes it, None for what Spark's own settings say."""
    # Nothing but this program asks the session for anything, and what fails is told in one sentence.
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
        # Arrow goes through as it is; what Spark says of pandas doesn't concern us.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        spark = builder.config(map=settings).getOrCreate()
        spark.sparkContext.setLogLevel("FATAL")
        spark.sparkContext.addPyFile(str(_pack_code(Path(folder))))
        try:
            yield spark
        finally:
            spark.stop()


def _last_words(error: Exception) -> str:
    """What went wrong, out of a message of many lines: the end of a Python worker's trace, or the first line."""
    lines = str(error).splitlines()
    raised = [line for line in lines if re.match(r"[\w.]+(Error|Exception)?: ", line)]
    return raised[-1] if raised else lines[0]


def _score(spark: SparkSession, source: str, out: str, scorer: Scorer, content: bytes) -> Counts:
    folder = _Folder(spark, out)
    if folder.exists():
        raise ScoringError(f"{out} exists; remove it, or choose another OUT")
    applicants = _read(spark, _Folder(spark, source), scorer)
    schema = _plain(answer_schema(to_arrow_schema(applicants.schema).field(scorer.id).type, scorer.reasons))
    task = _make_task(spark.sparkContext.broadcast(content), scorer.reasons, scorer.id, schema)
    answers = applicants.mapInArrow(task, from_arrow_schema(schema)).persist(StorageLevel.DISK_ONLY)
    draft = f"{folder.path}.unfinished"
    answers.where("fault IS NULL").select(scored_columns(scorer.reasons)).write.parquet(f"{draft}/scores", "overwrite")
    answers.where("fault IS NOT NULL").select(*REJECT_COLUMNS).write.parquet(f"{draft}/rejects", "overwrite")
    written = [spark.read.parquet(f"{draft}/{name}").count() for name in ("scores", "rejects")]
    rows = Counts(applicants.count(), *written)
    check_counts(rows, None)
    folder.appear(draft)
    return rows


def _read(spark: SparkSession, source: _Folder, scorer: Scorer) -> DataFrame:
    """The columns of the scorer; a CSV file as text, which columns.py reads as it reads it for the local engine."""
    if any(name.endswith((".csv", ".csv.gz")) for name in source.names()):
        # Quotes as in RFC 4180; a header that differs from the first file's is an error.
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
        kept = [*scorer.columns, MALFORMED]
    else:
        table, kept = spark.read.parquet(source.path), scorer.columns
    check_columns(to_arrow_schema(table.schema), scorer, source.path)
    return table.select(*["`" + name.replace("`", "``") + "`" for name in kept])


def _make_task(
    model: Broadcast[bytes], reasons: int, id: str, schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task runs on its rows, on a worker."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = Scorer(load_model(model.value), reasons, id)
        for answers in score_batches(batches, scorer):
            yield answers.cast(schema)

    return score


def _plain(schema: pa.Schema) -> pa.Schema:
    """The same with texts instead of dictionaries, which Spark doesn't take."""
    return pa.schema(
        [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in schema]
    )


class _Folder:
    """A path on whatever file system Spark reaches (a disk, HDFS, S3…), through Spark's own access to it."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path.rstrip("/")
        context: Any = spark.sparkContext
        self._path = context._jvm.org.apache.hadoop.fs.Path
        self._files = self._path(self.path).getFileSystem(context._jsc.hadoopConfiguration())

    def exists(self) -> bool:
        return bool(self._files.exists(self._path(self.path)))

    def names(self) -> list[str]:
        """The file itself, or what is in the folder."""
        if not self.exists():
            raise ScoringError(f"{self.path} doesn't exist; check the path")
        return [status.getPath().getName() for status in self._files.listStatus(self._path(self.path))]

    def appear(self, draft: str) -> None:
        """A finished draft gets this name, and _SUCCESS."""
        self._files.create(self._path(f"{draft}/_SUCCESS")).close()
        if not self._files.rename(self._path(draft), self._path(self.path)):
            raise ScoringError(f"Spark can't rename {draft} to {self.path}; rename it by hand, it is whole")


def _pack_code(folder: Path) -> Path:
    """model/ and score/ as one zip file, for the workers."""
    root = Path(__file__).resolve().parent.parent
    packed = folder / "credit_score.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted([*(root / "model").glob("*.py"), *(root / "score").glob("*.py")]):
            archive.write(path, path.relative_to(root).as_posix())
    return packed
