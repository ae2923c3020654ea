"""The files of a portfolio on Spark: listed and checked by the driver, text tables scanned by the workers."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.functions import col
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from model.dialect import Dialect, DialectOptions, TableError
from score.csv import open_table, table_schema
from score.decision_ids import make_base_id
from score.errors import ScoringError
from score.files import Format, sort_files
from score.fingerprints import Fingerprint
from score.partitions import Partition, read_partition
from score.portfolio import check_columns
from score.scorer import Scorer
from score.spark_files import Footer, FoundFile, SparkFolder, escape, map_in_threads
from score.spark_session import SPARK_ERRORS, translate
from score.spark_text import SCANNED, TextFile, scan_files

PLACE = ("_row_index", "_file_path")
"""Names of the last columns of a table: the number of the row in its file, from 0, and the path of the file."""


@dataclass(frozen=True, slots=True)
class SparkPortfolio:
    """The files to score. `files`: as listed, by name; `texts`: the text tables, by key; `id_types`: by name;
    `fingerprints`: in the order of `files`.
    """

    spark: SparkSession
    root: SparkFolder
    files: Mapping[str, FoundFile]
    ignored: Sequence[str]
    texts: Mapping[str, TextFile]
    dialects: Mapping[str, Dialect]
    parquet_tables: Sequence[DataFrame]
    partitions_by_key: Mapping[str, Partition]
    base_ids_by_key: Mapping[str, str]
    fingerprints: Sequence[Fingerprint]
    id_types: Mapping[str, pa.DataType]
    n_rows: int

    @property
    def names_by_key(self) -> dict[str, str]:
        """The name of each file in messages."""
        return {file.key: _full_name(self.root, name) for name, file in self.files.items()}

    def read_lines(self) -> DataFrame:
        """The lines of the text tables, and the path of the file of each."""
        return _read_lines(self.spark, [file for file in self.files.values() if file.key in self.texts])

    def is_changed(self) -> bool:
        """Whether a table was changed, added or removed since it was listed."""
        return _list_tables(self.root)[0] != self.files


def open_portfolio(spark: SparkSession, root: SparkFolder, scorer: Scorer, options: DialectOptions) -> SparkPortfolio:
    """List, scan and check the files; raises ScoringError for the first that can't be scored, in their order."""
    files, formats, ignored = _list_tables(root)
    partitions = {name: read_partition(name, scorer.columns) for name in files}
    parquet = [name for name, format in formats.items() if format == "parquet"]
    footers = dict(
        zip(
            parquet, map_in_threads(lambda name: root.footer(files[name], _full_name(root, name)), parquet), strict=True
        )
    )
    ends = dict(zip(files, map_in_threads(root.read_ends, files.values()), strict=True))
    fingerprints = {name: _fingerprint(root, file, ends[name]) for name, file in files.items()}
    base_ids = {file.key: make_base_id(scorer, options, fingerprints[name]) for name, file in files.items()}
    texts = {
        file.key: TextFile(
            _full_name(root, name),
            None if file.path.endswith(".gz") else file.size,
            _has_mark(file, ends[name]),
            partitions[name],
            base_ids[file.key],
        )
        for name, file in files.items()
        if name not in footers
    }
    scanned = _scan(spark, root, files, texts, scorer, options)
    for name in formats:
        full, partition = _full_name(root, name), partitions[name]
        if name in footers:
            names = [column.strip() for column in footers[name].names]
            check_columns(table_schema(names, partition), scorer, full)
            continue
        found = scanned[name]
        if found.names:
            check_columns(table_schema(found.names, partition), scorer, full)
        if found.error is not None:
            raise ScoringError(f"{full}: {found.error}")
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, footer in footers.items():
        groups.setdefault((footer.schema, tuple(partitions[name])), []).append(name)
    tables, id_types = [], {_full_name(root, name): pa.string() for name in scanned}
    for names in groups.values():
        table = _read_parquet(spark, [files[name] for name in names], footers[names[0]], partitions[names[0]], scorer)
        columns = [field for field in to_arrow_schema(table.schema) if field.name not in PLACE]
        schema = pa.schema([*columns, *((name, pa.string()) for name in partitions[names[0]])])
        check_columns(schema, scorer, _full_name(root, names[0]))
        id_types |= dict.fromkeys((_full_name(root, name) for name in names), schema.field(scorer.id).type)
        tables.append(table)
    return SparkPortfolio(
        spark,
        root,
        files,
        [_full_name(root, name) for name in ignored],
        texts,
        {fingerprints[name].path: Dialect(row.separator, row.decimal, row.encoding) for name, row in scanned.items()},
        tables,
        {file.key: partitions[name] for name, file in files.items()},
        base_ids,
        list(fingerprints.values()),
        id_types,
        sum(row.n_records for row in scanned.values()) + sum(footer.rows for footer in footers.values()),
    )


def _full_name(root: SparkFolder, name: str) -> str:
    return f"{root.path}/{name}" if name else root.path


def _list_tables(root: SparkFolder) -> tuple[dict[str, FoundFile], dict[str, Format], list[str]]:
    found = root.list()
    formats, ignored = sort_files(root.path, found, is_folder=root.is_folder())
    return {name: found[name] for name in formats}, formats, ignored


def _fingerprint(root: SparkFolder, file: FoundFile, ends: bytes) -> Fingerprint:
    """The fingerprint that the local engine takes, but for the fractions of a millisecond."""
    name = file.name or root.path.rsplit("/", 1)[-1]
    return Fingerprint(name, file.size, file.modified_ms * 1_000_000, sha256(ends).hexdigest())


def _has_mark(file: FoundFile, head: bytes) -> bool:
    """Whether a text begins with the byte order mark of UTF-8."""
    try:
        return (zlib.decompressobj(31).decompress(head, 3) if file.path.endswith(".gz") else head).startswith(BOM_UTF8)
    except zlib.error:
        return False


def _scan(
    spark: SparkSession,
    root: SparkFolder,
    files: Mapping[str, FoundFile],
    texts: Mapping[str, TextFile],
    scorer: Scorer,
    options: DialectOptions,
) -> dict[str, Row]:
    """One row of SCANNED for each text table, by name; an empty file, which has no line, is scanned here."""
    keys = {file.key: name for name, file in files.items() if file.key in texts}
    if not keys:
        return {}
    task = _make_scan(texts, scorer, options)
    lines = _read_lines(spark, [files[name] for name in keys.values()])
    try:
        rows = lines.mapInArrow(task, from_arrow_schema(pa.schema(SCANNED))).collect()
    except SPARK_ERRORS as error:
        raise translate(error, {key: _full_name(root, name) for key, name in keys.items()}) from error
    scanned = {keys[row.path]: row for row in rows}
    return {name: scanned.get(name) or _scan_empty(options) for name in keys.values()}


def _scan_empty(options: DialectOptions) -> Row:
    try:
        open_table([], [], options)
    except TableError as error:
        return Row(names=[], n_records=0, error=str(error))
    raise ScoringError("a table without lines has a header; this is a bug: report it")


def _make_scan(
    texts: Mapping[str, TextFile], scorer: Scorer, options: DialectOptions
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    fields = scorer.model.contract.fields
    return lambda batches: scan_files(batches, texts, fields, options)


def _read_lines(spark: SparkSession, files: Sequence[FoundFile]) -> DataFrame:
    lines = spark.read.text([escape(file.path) for file in files], lineSep="\n")
    return lines.select(col("value").cast("binary"), col("_metadata.file_path"))


def _read_parquet(
    spark: SparkSession, files: Sequence[FoundFile], footer: Footer, partition: Partition, scorer: Scorer
) -> DataFrame:
    """The columns of the scorer, and PLACE; all files have the same columns."""
    table = spark.read.parquet(*[escape(file.path) for file in files])
    stripped: dict[str, str] = {name.strip(): name for name in footer.names}
    columns: list[Any] = [
        col("`" + stripped[name].replace("`", "``") + "`").alias(name)
        for name in scorer.columns
        if name not in partition
    ]
    place = [col(f"_metadata.{name[1:]}").alias(name) for name in PLACE]
    return table.select(*columns, *place)
