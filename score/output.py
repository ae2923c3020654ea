"""The output folder OUT: created atomically, by renaming .OUT.unfinished when everything in it is complete.

    OUT/scores/part-00000.parquet     the columns of a scored row (score/result_columns.py)
    OUT/rejects/part-00000.parquet    id, line, fault, row (score/rejects.py); only for parts with rejected rows
    OUT/manifest.json                 files, how text tables were read, settings, model, number of rows, when it ended
    OUT/_SUCCESS                      empty, written last

A part is written to a temporary name and renamed when it is complete, its rejects before its scores, so that a part
with scores is complete. A run with the same files and settings resumes from the complete parts of an interrupted one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model.dialect import Dialect
from score.errors import ScoringError
from score.manifest import Counts, Manifest, RunSettings, read_manifest
from score.rejects import REJECT_COLUMNS
from score.result_columns import REJECTED


class Output:
    """The output folder while it is being written; a context manager that holds its lock."""

    def __init__(self, out: Path, settings: RunSettings, schema: pa.Schema) -> None:
        """Start, or resume an interrupted run with the same settings; `schema`: `result_schema` of the run.

        Raises ScoringError if OUT has other content, or can't be written.
        """
        self.out, self.settings, self.schema = out, settings, schema
        self._draft = out.with_name(f".{out.name}.unfinished")
        self._lock: IO[str] | None = None
        self.is_finished = _is_finished(out, settings)
        if self.is_finished:
            return
        try:
            self._draft.mkdir(parents=True, exist_ok=True)
            self._lock = (self._draft / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in ("scores", "rejects"):
                # Parts of a run with other settings are removed.
                if read_manifest(self._draft) != Manifest(settings, None):
                    shutil.rmtree(self._draft / name, ignore_errors=True)
                (self._draft / name).mkdir(exist_ok=True)
            _write(self._draft / "manifest.json", msgspec.json.encode(Manifest(settings, None)))
        except BlockingIOError as error:
            self.__exit__()
            raise ScoringError(f"another run is writing {out}; wait for it, or choose another OUT") from error
        except OSError as error:
            self.__exit__()
            raise ScoringError(f"can't write {self._draft}: {error.strerror or error}; choose another OUT") from error

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *failure: object) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()

    def read_counts(self, number: int) -> Counts | None:
        """The row counts of a complete part, None if it is not complete."""
        scores = self._path("scores", number)
        return _count_rows(scores, self._path("rejects", number)) if scores.exists() else None

    def part(self, number: int) -> Part:
        """A part to write; a context manager."""
        scores, rejects = self._path("scores", number), self._path("rejects", number)
        with _name_write_errors(scores):
            return Part(scores, rejects, self.schema)

    def finish(self, rows: Counts, read_as: dict[str, Dialect]) -> None:
        """Write the manifest and _SUCCESS, and rename the folder to OUT; raises ScoringError if OUT exists by now."""
        if self.out.exists():
            raise ScoringError(f"another run has written {self.out} meanwhile; choose another OUT")
        with _name_write_errors(self.out):
            for name in ("scores", "rejects"):
                for incomplete in (self._draft / name).glob(".*.draft"):
                    incomplete.unlink()
                _sync_to_disk(self._draft / name)
            _write(self._draft / "manifest.json", Manifest.of_finished(self.settings, rows, read_as))
            _write(self._draft / "_SUCCESS", b"")
            (self._draft / ".lock").unlink()
            self._draft.rename(self.out)
            _sync_to_disk(self.out.parent)

    def rows(self) -> Counts:
        """The row counts of a finished OUT."""
        manifest = read_manifest(self.out)
        if manifest is None or manifest.rows is None:
            raise ScoringError(f"{self.out} has no complete manifest.json; remove it and score again")
        return manifest.rows

    def _path(self, folder: str, number: int) -> Path:
        return self._draft / folder / f"part-{number:05}.parquet"


class Part:
    """Writes one part: scores and rejects; both files are discarded if an exception leaves the context."""

    def __init__(self, scores: Path, rejects: Path, schema: pa.Schema) -> None:
        """`schema`: `result_schema` of what will be written."""
        self._scored = [name for name in schema.names if name not in REJECTED]
        self._scores = _Writer(scores, pa.schema([schema.field(name) for name in self._scored]))
        self._rejects = _Writer(rejects, pa.schema([schema.field(name) for name in REJECT_COLUMNS]))
        self._read = 0

    def __enter__(self) -> Part:
        return self

    def write(self, results: pa.RecordBatch) -> None:
        """Add a batch of results: scored rows to the scores, rejected rows to the rejects."""
        with _name_write_errors(self._scores.path):
            self._write(results)

    def _write(self, results: pa.RecordBatch) -> None:
        self._read += results.num_rows
        faults = results.column("fault")
        if faults.null_count == results.num_rows:
            self._scores.write(results.select(self._scored))
            return
        is_rejected = faults.is_valid()
        self._scores.write(results.filter(pc.invert(is_rejected)).select(self._scored))
        self._rejects.write(results.filter(is_rejected).select(list(REJECT_COLUMNS)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            # The failure that is reported is the first: closing the files on a full disk fails again.
            with suppress(OSError, pa.ArrowException):
                self._scores.discard()
            with suppress(OSError, pa.ArrowException):
                self._rejects.discard()
            return
        with _name_write_errors(self._scores.path):
            self._rejects.close(self._read, keep=self._rejects.rows > 0)
            self._scores.close(self._read, keep=True)

    @property
    def counts(self) -> Counts:
        """The row counts so far."""
        return Counts(self._read, self._scores.rows, self._rejects.rows)


class _Writer:
    """A Parquet file that gets its name when it is complete."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._buffer: list[pa.RecordBatch] = []
        self.path, self._draft = path, path.with_name(f".{path.name}.draft")
        # Without the Arrow schema, readers get dictionary columns as plain strings.
        words, numbers = _select_names(schema, pa.types.is_dictionary), _select_names(schema, pa.types.is_integer)
        self._file = pq.ParquetWriter(
            self._draft,
            schema,
            store_schema=False,
            use_dictionary=words,
            column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
            write_statistics=[name for name in schema.names if name not in words and name not in NO_STATISTICS],
        )

    def write(self, batch: pa.RecordBatch) -> None:
        self._buffer.append(batch)
        self.rows += batch.num_rows
        n_rows = sum(batch.num_rows for batch in self._buffer)
        if n_rows >= ROW_GROUP_ROWS or sum(batch.nbytes for batch in self._buffer) >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._buffer:
            table = pa.Table.from_batches(self._buffer)
            self._file.write_table(table, row_group_size=max(table.num_rows, 1))
            self._buffer = []

    def close(self, rows_read: int, *, keep: bool) -> None:
        self._flush()
        self._file.add_key_value_metadata({ROWS_READ_KEY: str(rows_read)})
        self._file.close()
        if keep:
            _sync_to_disk(self._draft)
            self._draft.replace(self.path)
        else:
            self._draft.unlink()

    def discard(self) -> None:
        try:
            self._file.close()
        finally:
            self._draft.unlink(missing_ok=True)


ROW_GROUP_ROWS = 1 << 17
"""Rows of a row group; batches are combined, because many small row groups are slow to read."""

ROW_GROUP_BYTES = 64 << 20
"""Memory of a row group, so that inputs of many fields don't fill it."""

NO_STATISTICS = ("decision_id", "inputs")
"""Columns whose minimum and maximum aren't written; finding them takes as long as the rest of the column."""

ROWS_READ_KEY = "rows_read"
"""Key of a part's Parquet metadata: number of input rows of the part."""


@contextmanager
def _name_write_errors(path: Path) -> Iterator[None]:
    """Raise ScoringError for a disk that is full or gone."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise ScoringError(
            f"can't write {path}: {reason}; once that is mended, the same command goes on from the finished parts"
        ) from error


def _select_names(schema: pa.Schema, is_kind: Callable[[pa.DataType], bool]) -> list[str]:
    return [field.name for field in schema if is_kind(field.type)]


def _count_rows(scores: Path, rejects: Path) -> Counts:
    metadata = pq.read_metadata(scores)
    rejected = pq.read_metadata(rejects).num_rows if rejects.exists() else 0
    return Counts(int(metadata.metadata[ROWS_READ_KEY.encode()]), metadata.num_rows, rejected)


def _is_finished(out: Path, settings: RunSettings) -> bool:
    if not out.exists():
        return False
    manifest = read_manifest(out) if out.is_dir() else None
    if manifest is None:
        raise ScoringError(f"{out} exists and has no finished scores; choose another OUT")
    if manifest.settings != settings:
        raise ScoringError(
            f"{out} has scores of other files or settings, by model {manifest.settings.model_name} "
            f"{manifest.settings.model_version}; remove it, or choose another OUT"
        )
    return True


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    _sync_to_disk(draft)
    draft.replace(path)


def _sync_to_disk(path: Path) -> None:
    """fsync a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
