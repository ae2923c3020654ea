"""The Spark engine: `score_batches` in the tasks of a cluster, through DataFrame.mapInArrow.

The bytes of the model file are broadcast; each task loads and checks them as the service does. The code of model/ and
score/ is sent to the workers, which need the libraries of requirements/score.txt. IN and OUT may be any path that
Spark reads and writes; OUT has the layout of the local engine and is renamed when complete.
Text tables are read twice: the first pass finds their dialects, counts their records and refuses what can't be scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col
from pyspark.sql.pandas.types import from_arrow_schema

from model.dialect import Dialect, DialectOptions
from model.loading import load_model
from score.batches import score_batches
from score.errors import ScoringError
from score.ids import choose_id_type
from score.java import check_java
from score.local import check_counts
from score.manifest import Counts, Manifest, make_settings
from score.parquet import DEFAULT_DECIMAL
from score.paths import check_apart
from score.rejects import REJECT_COLUMNS
from score.result_columns import REJECTED, result_schema
from score.rows import Rows
from score.scorer import Scorer
from score.spark_files import SparkFolder, escape
from score.spark_portfolio import SparkPortfolio, open_portfolio
from score.spark_session import SPARK_ERRORS, start_spark, translate
from score.spark_text import read_rows, split_by_path

WHOLE_FILES = {name: str(1 << 60) for name in ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")}
"""Settings with which Spark reads each file in one task."""

Tell = Callable[[Iterable[str], Mapping[str, Dialect]], None]
"""Is told which files are ignored, and how each text table is read, before anything is scored."""

Read = Callable[[Iterator[pa.RecordBatch], Scorer], Iterator[Rows]]


def score_on_spark(
    source: str, out: str, scorer: Scorer, content: bytes, options: DialectOptions, master: str | None, tell: Tell
) -> Counts:
    """Score the tables of `source` into `out` and return the row counts.

    `content`: the bytes of the scorer's model file. Raises ScoringError if there is no Java, a table can't be scored,
    OUT exists, or Spark fails.
    """
    check_java()
    try:
        with start_spark(master) as spark:
            return score_with(spark, source, out, scorer, content, options, tell)
    except SPARK_ERRORS as error:
        raise translate(error, {}) from error


def score_with(
    spark: SparkSession, source: str, out: str, scorer: Scorer, content: bytes, options: DialectOptions, tell: Tell
) -> Counts:
    """`score_on_spark` in a session of `start_spark`."""
    root, folder = SparkFolder(spark, source), SparkFolder(spark, out)
    check_apart(source, out, root.absolute, folder.absolute)
    if folder.exists():
        raise ScoringError(f"{out} exists; choose another OUT")
    with _whole_files(spark):
        portfolio = open_portfolio(spark, root, scorer, options)
    tell(portfolio.ignored, portfolio.dialects)
    draft = SparkFolder(spark, f"{folder.path}.unfinished")
    draft.claim()
    try:
        rows = _score(spark, portfolio, draft.path, scorer, content, options)
        if portfolio.is_changed():
            raise ScoringError(f"the files of {source} changed while they were scored; score again")
        check_counts(rows, portfolio.n_rows)
        settings = make_settings(scorer, tuple(portfolio.fingerprints), options)
        draft.write("manifest.json", Manifest.of_finished(settings, rows, portfolio.dialects))
        draft.publish(folder)
    except SPARK_ERRORS as error:
        raise translate(error, portfolio.names_by_key) from error
    finally:
        draft.remove()
    return rows


def _score(
    spark: SparkSession,
    portfolio: SparkPortfolio,
    draft: str,
    scorer: Scorer,
    content: bytes,
    options: DialectOptions,
) -> Counts:
    """Write scores and rejects, and return their row counts."""
    id_type = choose_id_type(portfolio.id_types)
    schema = _without_dictionaries(result_schema(id_type, scorer))
    scored = [name for name in schema.names if name not in REJECTED]
    model = spark.sparkContext.broadcast(content)

    def score(table: DataFrame, read: Read) -> DataFrame:
        task = _make_task(model, scorer.reasons, scorer.id, scorer.is_with_inputs, id_type, schema, read)
        return table.mapInArrow(task, from_arrow_schema(schema)).persist(StorageLevel.DISK_ONLY)

    results = [score(table, _make_parquet_reader(portfolio, options)) for table in portfolio.parquet_tables]
    if portfolio.texts:
        texts = portfolio.texts
        of_texts = score(portfolio.read_lines(), lambda batches, scorer: read_rows(batches, texts, scorer, options))
        with _whole_files(spark):
            of_texts.count()  # Scores them, and keeps the results.
        results.append(of_texts)
    all_results = reduce(DataFrame.union, results)
    all_results.where(col("fault").isNull()).select(scored).write.parquet(f"{draft}/scores")
    all_results.where(col("fault").isNotNull()).select(*REJECT_COLUMNS).write.parquet(f"{draft}/rejects")
    n_scored, n_rejected = (spark.read.parquet(escape(f"{draft}/{name}")).count() for name in ("scores", "rejects"))
    return Counts(portfolio.n_rows, n_scored, n_rejected)


def _make_task(
    model: Any, reasons: int, id: str, is_with_inputs: bool, id_type: pa.DataType, schema: pa.Schema, read: Read
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that each task runs on its rows, on a worker. `model`: the broadcast bytes of its file."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = Scorer(load_model(model.value), reasons, id, is_with_inputs)
        for results in score_batches(read(batches, scorer), scorer, id_type):
            yield results.cast(schema)

    return score


def _make_parquet_reader(portfolio: SparkPortfolio, options: DialectOptions) -> Read:
    decimal = options.decimal or DEFAULT_DECIMAL
    partitions, base_ids = portfolio.partitions_by_key, portfolio.base_ids_by_key

    def read(batches: Iterator[pa.RecordBatch], scorer: Scorer) -> Iterator[Rows]:
        for batch in batches:
            for key, rows in split_by_path(batch):
                lines = rows.column(rows.num_columns - 1).to_numpy() + 1
                yield Rows(rows, lines, decimal, base_ids[key], partitions[key])

    return read


def _without_dictionaries(schema: pa.Schema) -> pa.Schema:
    """The schema with strings instead of dictionaries, which Spark doesn't support."""
    return pa.schema(
        [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in schema]
    )


@contextmanager
def _whole_files(spark: SparkSession) -> Iterator[None]:
    """Each file is read by one task."""
    before = {name: spark.conf.get(name) for name in WHOLE_FILES}
    try:
        for name, value in WHOLE_FILES.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, earlier in before.items():
            spark.conf.set(name, str(earlier))
