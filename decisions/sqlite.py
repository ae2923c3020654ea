"""Store in a SQLite file, in write-ahead mode; every commit is synchronised to disk before it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain as concatenate
from pathlib import Path
from typing import Any

from msgspec.structs import astuple

from decisions.record import COLUMNS, Head, Record
from decisions.schema import SCHEMA_VERSION, newer_schema, read_migrations
from decisions.store import EMPTY_TALLIES, InvalidRecords, ModelFile, StoreError, TallyKey, Value

BUSY_SECONDS = 3
"""How long a transaction waits for that of another process."""

ROWS_AT_ONCE = (64, 32, 16, 8, 4, 2, 1)
"""Rows of one INSERT. The interpreter lock is released and taken once a statement, however many rows it has; few
different sizes keep the prepared statements few."""

FETCH_ROWS = 1_000


class SqliteStore:
    """See decisions/store.py."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self._path = path
        if not create and not path.is_file():
            raise StoreError(f"there is no file {path}, expected the database of the service: see DECISIONS_URL")
        if not path.parent.is_dir() or path.is_dir():
            raise StoreError(f"the database is {path}, expected a file in a folder that exists: see DECISIONS_URL")
        with self._errors():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=32
            )
            # A damaged text shows as a changed record, not as a database that can't be read.
            self._connection.text_factory = _decode
            self._connection.execute("PRAGMA journal_mode = WAL")
            # NORMAL would lose the last commits when the machine loses power.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._file = _identify(path)

    def read_version(self) -> int:
        ((version,),) = self.query("PRAGMA user_version")
        return int(version)

    def migrate(self) -> None:
        with self._transaction() as connection:
            version = self.read_version()
            if version > SCHEMA_VERSION:
                raise newer_schema(version)
            for number, script in read_migrations("sqlite", version):
                for statement in script:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number:d}")

    def put_model(self, model: ModelFile, time: int) -> None:
        with self._errors():
            self._connection.execute(
                "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
                (model.sha256, model.name, model.version, model.fields, model.content, time),
            )

    def open_chain(self, head: Head, time: int, writer: str) -> None:
        with self._errors():
            self._connection.execute(
                "INSERT INTO chains VALUES (?, ?, ?, ?, ?) ON CONFLICT (chain) DO NOTHING",
                (head.chain, head.sequence, head.hash, writer, time),
            )

    def read_head(self, chain: int) -> Head | None:
        with self._errors():
            sql = "SELECT chain, sequence, hash FROM chains WHERE chain = ?"
            row = self._connection.execute(sql, (chain,)).fetchone()
        return None if row is None else Head(*row)

    def append(self, records: Sequence[Record], before: Head) -> bool:
        with self._transaction() as connection:
            # SQLite itself would go on writing to a file that was removed, and is lost when it is closed.
            if _identify(self._path) != self._file:
                raise StoreError(f"the database {self._path} was removed or replaced while it was open")
            return self._append(connection, records, before)

    def erase(self, ids: Sequence[str], records: Sequence[Record], before: Head) -> bool:
        with self._transaction() as connection:
            if not self._append(connection, records, before):
                return False
            connection.executemany(
                "UPDATE records SET applicant = NULL, payload = NULL, salt = NULL WHERE id = ?",
                [(record_id,) for record_id in ids],
            )
            self._empty_tallies(connection)
            return True

    def delete(self, chain: int, sequence: int, records: Sequence[Record], before: Head) -> bool:
        with self._transaction() as connection:
            if not self._append(connection, records, before):
                return False
            connection.execute("DELETE FROM records WHERE chain = ? AND sequence <= ?", (chain, sequence))
            self._empty_tallies(connection)
            return True

    def add_tallies(
        self,
        moved: Mapping[int, tuple[int, int]],
        added: Mapping[TallyKey, bytes],
        add: Callable[[bytes, bytes], bytes],
        kept_from: Mapping[int, int] | None = None,
    ) -> bool:
        with self._transaction() as connection:
            for chain, (before, _) in moved.items():
                row = connection.execute("SELECT sequence FROM tallied WHERE chain = ?", (chain,)).fetchone()
                if (row[0] if row else 0) != before:
                    return False
            connection.executemany(
                "INSERT INTO tallied VALUES (?, ?) ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence",
                [(chain, after) for chain, (_, after) in moved.items()],
            )
            for key, counts in added.items():
                where = "WHERE series = ? AND width = ? AND start = ?"
                row = connection.execute(f"SELECT counts FROM tallies {where}", astuple(key)).fetchone()  # noqa: S608
                sums = counts if row is None else add(row[0], counts)
                connection.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?)", (*astuple(key), sums))
            connection.executemany("DELETE FROM tallies WHERE width = ? AND start < ?", (kept_from or {}).items())
            return True

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, ...]]:
        with self._errors():
            cursor = self._connection.execute(sql, parameters or {})
            while rows := cursor.fetchmany(FETCH_ROWS):
                yield from rows

    def find_damage(self) -> list[str]:
        # A SELECT may take a value from an index, and not see that the row has another.
        return [what for (what,) in self.query("PRAGMA integrity_check") if what != "ok"]

    def compact(self) -> str:
        with self._errors():
            self._connection.execute("VACUUM")
            # Until this is done, the write-ahead log still has the pages as they were.
            is_busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return "another process reads the database: run the command again when it has ended" if is_busy else ""

    def interrupt(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.interrupt()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def _append(self, connection: sqlite3.Connection, records: Sequence[Record], before: Head) -> bool:
        last = records[-1]
        moved = connection.execute(
            "UPDATE chains SET sequence = ?, hash = ? WHERE chain = ? AND sequence = ? AND hash = ?",
            (last.sequence, last.hash, before.chain, before.sequence, before.hash),
        )
        if moved.rowcount != 1:
            return False
        start = 0
        for size in ROWS_AT_ONCE:
            while len(records) - start >= size:
                values = concatenate.from_iterable(map(astuple, records[start : start + size]))
                connection.execute(_INSERTS[size], list(values))
                start += size
        return True

    def _empty_tallies(self, connection: sqlite3.Connection) -> None:
        for statement in EMPTY_TALLIES:
            connection.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, UnicodeError) as error:
            raise InvalidRecords(f"the database {self._path} refuses the records: {error}") from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the database {self._path} can't be used: {error}") from error


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")


def _identify(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


_ROW = f"({', '.join('?' * len(COLUMNS))})"
_INSERTS = {size: f"INSERT INTO records VALUES {', '.join([_ROW] * size)}" for size in ROWS_AT_ONCE}  # noqa: S608
