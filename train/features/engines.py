"""The two engines that compute the features: DuckDB in this process, Spark on one machine or a cluster.

An engine reads a file as an Ibis table and saves an Ibis table as Parquet. Results are read from Parquet, not through
the engine's own conversion to pandas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import duckdb
import ibis
import ibis.expr.types as ir

from train.errors import TrainingError, first_lines, import_optional
from train.features.java import require_java
from train.features.sources import File


class Engine(Protocol):
    """Reads and saves Ibis tables."""

    def read(self, file: File, types: Mapping[str, str]) -> ir.Table:
        """Read some columns as float64, int64 or string; empty cells, NaN and infinities are missing."""

    def save(self, table: ir.Table, path: Path, source: Path) -> None:
        """Write Parquet (a file or a folder of parts in the order of the rows).

        Raises TrainingError naming the source file if the engine fails.
        """

    def close(self) -> None:
        """Release connection and memory."""


class DuckDB:
    """The embedded engine: all cores, at most `memory`, spilling into `scratch`."""

    def __init__(self, scratch: Path, memory: str) -> None:
        try:
            # Rows are sorted by id where order matters; preserving the files' order would cost memory.
            self._connection = ibis.duckdb.connect(
                memory_limit=memory, temp_directory=str(scratch), preserve_insertion_order=False
            )
        except duckdb.Error as error:
            raise TrainingError(f"--memory {memory!r} can't be used: {first_lines(error, 3)}; try 4GB") from error

    def read(self, file: File, types: Mapping[str, str]) -> ir.Table:
        """See Engine."""
        try:
            if file.is_parquet:
                parts = f"{file.path}/**/*.parquet" if file.path.is_dir() else str(file.path)
                return select(self._connection.read_parquet(parts), types, may_hold_nan=True)
            names = {"float64": "DOUBLE", "int64": "BIGINT", "string": "VARCHAR"}
            # All types are given, so that none is inferred from the first rows.
            columns = {column: names[types.get(column, "string")] for column in file.columns}
            table = self._connection.read_csv(
                str(file.path), columns=columns, header=True, delim=",", quote='"', escape='"', auto_detect=False
            )
        except duckdb.Error as error:
            raise TrainingError(f"can't read {file.path}: {first_lines(error, 3)}") from error
        return select(table, types)

    def save(self, table: ir.Table, path: Path, source: Path) -> None:
        """See Engine."""
        try:
            self._connection.to_parquet(table, path)
        except duckdb.OutOfMemoryException as error:
            raise TrainingError(f"out of memory: {first_lines(error, 3)}; allow more with --memory") from error
        except duckdb.Error as error:
            raise TrainingError(f"can't compute features from {source}: {first_lines(error, 3)}") from error

    def close(self) -> None:
        """See Engine."""
        self._connection.disconnect()


class Spark:
    """Spark on `master`: local[2], spark://…, yarn. All workers must see the folders."""

    def __init__(self, master: str, memory: str) -> None:
        require_java()
        import_optional("pyspark.sql", "requirements/spark.txt")
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        self._errors = (PySparkException, Py4JError)
        builder = SparkSession.builder.master(master).appName("credit features")
        for key, value in _settings(master, memory).items():
            builder = builder.config(key, value)
        try:
            self._session = builder.getOrCreate()
        except (*self._errors, RuntimeError) as error:
            raise TrainingError(f"Spark doesn't start on {master!r}: {first_lines(error, 3)}") from error
        self._session.sparkContext.setLogLevel("ERROR")
        self._connection: Any = ibis.pyspark.connect(self._session)

    def read(self, file: File, types: Mapping[str, str]) -> ir.Table:
        """See Engine."""
        try:
            if file.is_parquet:
                return select(self._connection.read_parquet(str(file.path)), types, may_hold_nan=True)
            names = {"float64": "DOUBLE", "int64": "BIGINT", "string": "STRING"}
            schema = ", ".join(f"`{column}` {names[types.get(column, 'string')]}" for column in file.columns)
            table = self._connection.read_csv(
                str(file.path), inferSchema=None, schema=schema, escape='"', mode="FAILFAST"
            )
        except self._errors as error:
            raise TrainingError(f"can't read {file.path}: {first_lines(error, 3)}") from error
        return select(table, types)

    def save(self, table: ir.Table, path: Path, source: Path) -> None:
        """See Engine."""
        try:
            self._connection.to_parquet_dir(table, path)
        except self._errors as error:
            raise TrainingError(f"can't compute features from {source}: {first_lines(error, 3)}") from error

    def close(self) -> None:
        """See Engine."""
        self._session.stop()


def select(table: ir.Table, types: Mapping[str, str], *, may_hold_nan: bool = False) -> ir.Table:
    """Some columns of a table in their types; NaN and infinities become missing."""
    columns = {name: table[name].cast(kind) for name, kind in types.items()}
    if may_hold_nan:
        for name, kind in types.items():
            if kind == "float64":
                column = columns[name]
                columns[name] = (column.isnan() | column.isinf()).ifelse(ibis.null("float64"), column)
    return table.select(**columns)


def _settings(master: str, memory: str) -> dict[str, str]:
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    if master.startswith("local"):
        # Spark's default of 200 partitions is for clusters.
        settings |= {
            "spark.driver.memory": _java_memory(memory),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": "8",
        }
    return settings


def _java_memory(memory: str) -> str:
    match = re.fullmatch(r"\s*(\d+)\s*([MGT])i?B?\s*", memory, re.IGNORECASE)
    if not match:
        raise TrainingError(f"--memory {memory!r} can't be used: expected whole megabytes or gigabytes, such as 4GB")
    return f"{match[1]}{match[2].lower()}"
