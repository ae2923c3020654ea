"""Where answers go: OUT appears in one moment, whole; until then everything lies in .OUT.unfinished beside it.

    OUT/scores/part-00000.parquet     id, probability, decision, points, reasons, model version
    OUT/rejects/part-00000.parquet    id, fault, row: only where a row was rejected
    OUT/manifest.json                 which files, which model, how many rows
    OUT/_SUCCESS                      empty, written last

A part is written under another name and renamed when it is whole, its scores last: it is done if they are there. An
interrupted run leaves the parts that were done, and a run of the same files through the same model goes on from there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from score.answers import REJECT_COLUMNS, answer_schema, scored_columns
from score.errors import ScoringError
from score.portfolio import FileMark

LAYOUT_VERSION = 1
"""Raised when parts written before would not fit beside parts written after: unfinished work is then begun again."""


class Job(Struct, frozen=True):
    """What was asked: two equal jobs give the same OUT."""

    layout_version: int
    model_name: str
    model_version: str
    model_sha256: str
    id: str
    reasons: int
    files: tuple[FileMark, ...]


class Counts(Struct, frozen=True):
    """Rows of the input, and what became of them."""

    read: int
    scored: int
    rejected: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.read + other.read, self.scored + other.scored, self.rejected + other.rejected)


class Manifest(Struct, frozen=True):
    """What stands in manifest.json; `rows` only when all are done."""

    job: Job
    rows: Counts | None


class Output:
    """The folder OUT in the making."""

    def __init__(self, out: Path, job: Job, id_type: pa.DataType) -> None:
        """Begin, or go on with what an interrupted run of the same job has left.

        Raises ScoringError if OUT holds something else, or can't be written.
        """
        self.out, self._job = out, job
        self._draft = out.with_name(f".{out.name}.unfinished")
        self._id_type = id_type
        self._lock: IO[str] | None = None
        self.is_finished = _is_finished(out, job)
        if self.is_finished:
            return
        try:
            self._draft.mkdir(parents=True, exist_ok=True)
            self._lock = (self._draft / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in ("scores", "rejects"):
                # What another job has left is begun again.
                if _read_manifest(self._draft) != Manifest(job, None):
                    shutil.rmtree(self._draft / name, ignore_errors=True)
                (self._draft / name).mkdir(exist_ok=True)
            _write(self._draft / "manifest.json", msgspec.json.encode(Manifest(job, None)))
        except BlockingIOError as error:
            self.__exit__()
            raise ScoringError(f"another run is writing {out} just now; wait for it, or choose another OUT") from error
        except OSError as error:
            self.__exit__()
            raise ScoringError(f"can't write {self._draft}: {error.strerror}; choose another OUT") from error

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *failure: object) -> None:
        """Another run may write OUT from now on."""
        if self._lock is not None:
            self._lock.close()

    def done(self, number: int) -> Counts | None:
        """What became of the rows of a part, if it is done."""
        scores = self._path("scores", number)
        return _count(scores, self._path("rejects", number)) if scores.exists() else None

    def part(self, number: int) -> Part:
        """A part to be written; a context manager."""
        return Part(self._path("scores", number), self._path("rejects", number), self._id_type, self._job.reasons)

    def finish(self, rows: Counts) -> None:
        """Everything is there: write the manifest and _SUCCESS, and let OUT appear."""
        for name in ("scores", "rejects"):
            for left in (self._draft / name).glob(".*.draft"):
                left.unlink()
            _settle(self._draft / name)
        _write(self._draft / "manifest.json", msgspec.json.format(msgspec.json.encode(Manifest(self._job, rows))))
        _write(self._draft / "_SUCCESS", b"")
        (self._draft / ".lock").unlink()
        self._draft.rename(self.out)
        _settle(self.out.parent)

    def rows(self) -> Counts:
        """The counts of a finished OUT."""
        manifest = _read_manifest(self.out)
        if manifest is None or manifest.rows is None:
            raise ScoringError(f"{self.out} has no whole manifest.json; remove it and score again")
        return manifest.rows

    def _path(self, folder: str, number: int) -> Path:
        return self._draft / folder / f"part-{number:05}.parquet"


class Part:
    """One part of the scores and its rejects, in the writing; complete only if nothing was raised."""

    def __init__(self, scores: Path, rejects: Path, id_type: pa.DataType, reasons: int) -> None:
        schema = answer_schema(id_type, reasons)
        self._scored = scored_columns(reasons)
        self._scores = _Writer(scores, pa.schema([schema.field(name) for name in self._scored]))
        self._rejects = _Writer(rejects, pa.schema([schema.field(name) for name in REJECT_COLUMNS]))
        self._read = 0

    def __enter__(self) -> Part:
        return self

    def write(self, answers: pa.RecordBatch) -> None:
        """Add a batch of answers, each row to where it belongs."""
        self._read += answers.num_rows
        faults = answers.column("fault")
        if faults.null_count == answers.num_rows:
            self._scores.write(answers.select(self._scored))
            return
        is_rejected = faults.is_valid()
        self._scores.write(answers.filter(pc.invert(is_rejected)).select(self._scored))
        self._rejects.write(answers.filter(is_rejected).select(list(REJECT_COLUMNS)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._scores.drop()
            self._rejects.drop()
            return
        self._rejects.close(self._read, keep=self._rejects.rows > 0)
        self._scores.close(self._read, keep=True)

    @property
    def counts(self) -> Counts:
        """What became of the rows so far."""
        return Counts(self._read, self._scores.rows, self._rejects.rows)


class _Writer:
    """A Parquet file that has its name only when it is whole."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._path, self._draft = path, path.with_name(f".{path.name}.draft")
        # Dictionaries are how we hold few words, not what a reader should see: the file says string.
        words, numbers = _names(schema, pa.types.is_dictionary), _names(schema, pa.types.is_integer)
        self._file = pq.ParquetWriter(
            self._draft,
            schema,
            store_schema=False,
            use_dictionary=words,
            column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
            write_statistics=[name for name in schema.names if name not in words],
        )

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if sum(batch.num_rows for batch in self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting)
            self._file.write_table(table, row_group_size=max(table.num_rows, 1))
            self._waiting = []

    def close(self, read: int, *, keep: bool) -> None:
        self._flush()
        self._file.add_key_value_metadata({READ: str(read)})
        self._file.close()
        if keep:
            _settle(self._draft)
            self._draft.replace(self._path)
        else:
            self._draft.unlink()

    def drop(self) -> None:
        self._file.close()
        self._draft.unlink(missing_ok=True)


ROW_GROUP = 1 << 17
"""Rows put together before they are written: a row group for each batch would be many and small."""

READ = "rows_read"
"""Entry of a part's metadata: how many rows of the input it stands for."""


def _names(schema: pa.Schema, is_kind: Callable[[pa.DataType], bool]) -> list[str]:
    return [field.name for field in schema if is_kind(field.type)]


def _count(scores: Path, rejects: Path) -> Counts:
    about = pq.read_metadata(scores)
    rejected = pq.read_metadata(rejects).num_rows if rejects.exists() else 0
    return Counts(int(about.metadata[READ.encode()]), about.num_rows, rejected)


def _is_finished(out: Path, job: Job) -> bool:
    if not out.exists():
        return False
    manifest = _read_manifest(out) if out.is_dir() else None
    if manifest is None:
        raise ScoringError(f"{out} exists and holds no finished scores; remove it, or choose another OUT")
    if manifest.job != job:
        raise ScoringError(
            f"{out} holds the scores of other files or settings, by model {manifest.job.model_name} "
            f"{manifest.job.model_version}; remove it, or choose another OUT"
        )
    return True


def _read_manifest(folder: Path) -> Manifest | None:
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    _settle(draft)
    draft.replace(path)


def _settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
