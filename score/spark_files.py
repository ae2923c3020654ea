"""Files on any file system that Spark supports (disk, HDFS, S3, …), accessed through Spark's JVM by the driver."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from score.errors import ScoringError
from score.fingerprints import FINGERPRINT_BYTES
from score.parquet import describe_incomplete
from score.spark_text import normalize_path

THREADS = 8
"""Files whose heads or footers are read at a time."""

Item = TypeVar("Item")
Found = TypeVar("Found")


class FoundFile(NamedTuple):
    """A file as it is listed. `name`: relative to the folder; `key`: its path as Spark's tasks see it."""

    name: str
    path: str
    key: str
    size: int
    modified_ms: int


class Footer(NamedTuple):
    """The metadata of a Parquet file; `schema`: its types as text, equal for files that can be read together."""

    rows: int
    names: tuple[str, ...]
    schema: str


class SparkFolder:
    """A file or a folder."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path.rstrip("/") or path
        context: Any = spark.sparkContext
        self._jvm, self._settings = context._jvm, context._jsc.hadoopConfiguration()
        self._path = self._jvm.org.apache.hadoop.fs.Path
        self._files = self._path(self.path).getFileSystem(self._settings)
        self.absolute = str(self._files.makeQualified(self._path(self.path)).toString())

    def exists(self) -> bool:
        return bool(self._files.exists(self._path(self.path)))

    def is_folder(self) -> bool:
        return bool(self._files.getFileStatus(self._path(self.path)).isDirectory())

    def list(self) -> dict[str, FoundFile]:
        """All files in the folder and its subfolders by name; '' for a single file."""
        if not self.exists():
            raise ScoringError(f"{self.path} doesn't exist; check the path")
        found: dict[str, FoundFile] = {}
        statuses = self._files.listFiles(self._path(self.path), True)
        while statuses.hasNext():
            status = statuses.next()
            path = status.getPath()
            text = str(path.toString())
            name = text.removeprefix(self.absolute).lstrip("/")
            found[name] = FoundFile(
                name, text, normalize_path(path.toUri().toString()), status.getLen(), status.getModificationTime()
            )
        return found

    def read_ends(self, file: FoundFile) -> bytes:
        """The start and the end of a file, of which score/fingerprints.py takes the hash."""
        n_bytes = min(file.size, FINGERPRINT_BYTES)
        read = self._jvm.org.apache.commons.io.IOUtils.toByteArray
        stream = self._files.open(self._path(file.path))
        try:
            head = bytes(read(stream, n_bytes))
            stream.seek(file.size - n_bytes)
            return head + bytes(read(stream, n_bytes))
        finally:
            stream.close()

    def footer(self, file: FoundFile, name: str) -> Footer:
        """Read the metadata of a Parquet file; raises ScoringError if it has none."""
        hadoop = self._jvm.org.apache.parquet.hadoop
        try:
            source = hadoop.util.HadoopInputFile.fromPath(self._path(file.path), self._settings)
            reader = hadoop.ParquetFileReader.open(source)
        except Py4JJavaError as error:
            raise ScoringError(describe_incomplete(name)) from error
        try:
            schema = reader.getFileMetaData().getSchema()
            names = tuple(column.getName() for column in schema.getFields())
            return Footer(reader.getRecordCount(), names, schema.toString())
        finally:
            reader.close()

    def write(self, name: str, content: bytes) -> None:
        """Write a file of this folder."""
        stream = self._files.create(self._path(f"{self.path}/{name}"))
        try:
            stream.write(content)
        finally:
            stream.close()

    def claim(self) -> None:
        """Make this folder, for one run alone; raises ScoringError if it exists."""
        if self.exists() or not self._files.mkdirs(self._path(self.path)) or not self._create("_RUNNING"):
            raise ScoringError(
                f"another run is writing {self.path}: wait for it, choose another OUT, or remove that folder if the "
                "run was killed"
            )

    def publish(self, out: SparkFolder) -> None:
        """Add _SUCCESS to this folder, which is complete, and rename it."""
        self._create("_SUCCESS")
        self._files.delete(self._path(f"{self.path}/_RUNNING"), False)
        if out.exists() or not self._files.rename(self._path(self.path), self._path(out.path)):
            raise ScoringError(f"Spark can't rename {self.path} to {out.path}; rename it by hand, it is complete")

    def remove(self) -> None:
        """Remove this folder, if it was claimed and not published."""
        if self._files.exists(self._path(f"{self.path}/_RUNNING")):
            self._files.delete(self._path(self.path), True)

    def _create(self, name: str) -> bool:
        return bool(self._files.createNewFile(self._path(f"{self.path}/{name}")))


def escape(path: str) -> str:
    """A path in which no character stands for others, as Spark otherwise reads it."""
    return re.sub(r"([\\{}\[\]*?^])", r"\\\1", path)


def map_in_threads(read: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Call a function that waits for the file system on many items."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(read, items))
