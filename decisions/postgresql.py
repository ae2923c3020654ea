"""Store in PostgreSQL, with psycopg 3."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import psycopg
from msgspec.structs import astuple

from decisions.record import Head, Record
from decisions.schema import SCHEMA_VERSION, newer_schema, read_migrations
from decisions.store import (
    EMPTY_TALLIES,
    InvalidRecords,
    ModelFile,
    StoreError,
    TallyKey,
    Value,
    hide_password,
)

CONNECT_SECONDS = 5

FETCH_ROWS = 1_000

MIGRATION_LOCK = 7_263_105_884
"""Number of the advisory lock that one migration at a time holds."""

_APPEND = """
WITH moved AS (
    UPDATE chains SET sequence = %(sequence)s, hash = %(hash)s
    WHERE chain = %(chain)s AND sequence = %(before)s AND hash = %(before_hash)s
    RETURNING chain
)
INSERT INTO records
SELECT
    id, row.chain, sequence, kind, time, request_id, key, model, subject, applicant, probability, decision, points,
    reasons, payload, decode(salt, 'base64'), decode(payload_hash, 'base64'), decode(hash, 'base64')
FROM moved, json_to_recordset(%(rows)s::JSON) AS row (
    id TEXT, chain BIGINT, sequence BIGINT, kind TEXT, time BIGINT, request_id TEXT, key TEXT, model TEXT, subject TEXT,
    applicant TEXT, probability DOUBLE PRECISION, decision TEXT, points INTEGER, reasons INTEGER, payload TEXT,
    salt TEXT, payload_hash TEXT, hash TEXT
)
"""
"""One statement and thus one round trip; the rows are written only if the head of the chain was moved.

The rows travel as one JSON text, which takes a fifth of the client's time of parameters or COPY.
"""

_LOCK_TALLIES = "LOCK TABLE tallied IN SHARE ROW EXCLUSIVE MODE"
"""One transaction at a time changes the tallies; others may read them."""

_SELECT_TALLIES = """
SELECT series, width, start, counts FROM tallies
JOIN unnest(%s::TEXT[], %s::INTEGER[], %s::BIGINT[]) AS wanted (series, width, start) USING (series, width, start)
"""

_encode = msgspec.json.Encoder().encode


class PostgresqlStore:
    """See decisions/store.py."""

    def __init__(self, url: str) -> None:
        self._name = hide_password(url)
        with self._errors():
            self._connection = psycopg.connect(
                url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="credit decisions"
            )
            self._socket = socket.socket(fileno=self._connection.fileno())

    def read_version(self) -> int:
        with self._errors():
            if self._connection.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
                return 0
            row = self._connection.execute("SELECT max(version) FROM schema_version").fetchone()
        return (row and row[0]) or 0

    def migrate(self) -> None:
        # Needs no right to create tables where there is nothing to do.
        if self.read_version() == SCHEMA_VERSION:
            return
        with self._transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
            version = self.read_version()
            if version > SCHEMA_VERSION:
                raise newer_schema(version)
            for number, script in read_migrations("postgresql", version):
                for statement in script:
                    connection.execute(statement.encode())
                connection.execute("INSERT INTO schema_version VALUES (%s)", (number,))

    def put_model(self, model: ModelFile, time: int) -> None:
        with self._errors():
            sql = "SELECT 1 FROM models WHERE sha256 = %s"
            # A large file isn't sent each time.
            if self._connection.execute(sql, (model.sha256,)).fetchone() is None:
                self._connection.execute(
                    "INSERT INTO models VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (sha256) DO NOTHING",
                    (model.sha256, model.name, model.version, model.fields, model.content, time),
                )

    def open_chain(self, head: Head, time: int, writer: str) -> None:
        with self._errors():
            # Not while connecting, which can't be interrupted.
            (synchronous_commit,) = self._connection.execute("SHOW synchronous_commit").fetchone() or ("",)
            if synchronous_commit == "off":
                self._connection.execute("SET synchronous_commit = on")
            self._connection.execute(
                "INSERT INTO chains VALUES (%s, %s, %s, %s, %s) ON CONFLICT (chain) DO NOTHING",
                (head.chain, head.sequence, head.hash, writer, time),
            )

    def read_head(self, chain: int) -> Head | None:
        with self._errors():
            sql = "SELECT chain, sequence, hash FROM chains WHERE chain = %s"
            row = self._connection.execute(sql, (chain,)).fetchone()
        return None if row is None else Head(*row)

    def append(self, records: Sequence[Record], before: Head) -> bool:
        with self._errors():
            return self._append(records, before)

    def erase(self, ids: Sequence[str], records: Sequence[Record], before: Head) -> bool:
        with self._transaction() as connection:
            if not self._append(records, before):
                return False
            sql = "UPDATE records SET applicant = NULL, payload = NULL, salt = NULL WHERE id = ANY(%s)"
            connection.execute(sql, (list(ids),))
            self._empty_tallies(connection)
            return True

    def delete(self, chain: int, sequence: int, records: Sequence[Record], before: Head) -> bool:
        with self._transaction() as connection:
            if not self._append(records, before):
                return False
            connection.execute("DELETE FROM records WHERE chain = %s AND sequence <= %s", (chain, sequence))
            self._empty_tallies(connection)
            return True

    def add_tallies(
        self,
        moved: Mapping[int, tuple[int, int]],
        added: Mapping[TallyKey, bytes],
        add: Callable[[bytes, bytes], bytes],
        kept_from: Mapping[int, int] | None = None,
    ) -> bool:
        with self._transaction() as connection, connection.cursor() as cursor:
            connection.execute(_LOCK_TALLIES)
            sql = "SELECT chain, sequence FROM tallied WHERE chain = ANY(%s)"
            counted = dict(cursor.execute(sql, (list(moved),)))
            if any(counted.get(chain, 0) != before for chain, (before, _) in moved.items()):
                return False
            cursor.executemany(
                "INSERT INTO tallied VALUES (%s, %s) ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence",
                [(chain, after) for chain, (_, after) in moved.items()],
            )
            columns = [list(column) for column in zip(*map(astuple, added), strict=True)] or [[], [], []]
            found = cursor.execute(_SELECT_TALLIES, columns)
            sums = dict(added)
            for series, width, start, counts in found:
                key = TallyKey(series, width, start)
                sums[key] = add(counts, added[key])
            cursor.executemany(
                "INSERT INTO tallies VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (width, start, series) DO UPDATE SET counts = excluded.counts",
                [(*astuple(key), counts) for key, counts in sums.items()],
            )
            cursor.executemany("DELETE FROM tallies WHERE width = %s AND start < %s", (kept_from or {}).items())
            return True

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, ...]]:
        # A server-side cursor, so that a million rows don't come at once.
        with self._transaction() as connection, connection.cursor("rows") as cursor:
            cursor.itersize = FETCH_ROWS
            cursor.execute(_to_psycopg(sql).encode(), parameters)
            yield from cursor

    def find_damage(self) -> list[str]:
        # The server checks its pages itself as it reads them, if it was made with checksums.
        return []

    def compact(self) -> str:
        with self._errors():
            self._connection.execute("VACUUM records")
        return (
            "PostgreSQL overwrites the old bytes as it needs the space, or at once with VACUUM FULL records, which "
            "locks the table; write-ahead logs and backups have them until they expire"
        )

    def interrupt(self) -> None:
        # Unlike cancelling, this works while the server or the network doesn't answer.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # Before the number of the file can belong to another one, which `interrupt` must not shut down.
        self._socket.detach()
        with suppress(psycopg.Error, OSError):
            self._connection.close()

    def _append(self, records: Sequence[Record], before: Head) -> bool:
        last = records[-1]
        parameters = {
            "sequence": last.sequence,
            "hash": last.hash,
            "chain": before.chain,
            "before": before.sequence,
            "before_hash": before.hash,
            "rows": _encode(records).decode(),
        }
        return self._connection.execute(_APPEND, parameters).rowcount > 0

    def _empty_tallies(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(_LOCK_TALLIES)
        for statement in EMPTY_TALLIES:
            connection.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[Any]]:
        with self._errors(), self._connection.transaction():
            yield self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeError) as error:
            raise InvalidRecords(f"the database {self._name} refuses the records: {_describe(error)}") from error
        except (psycopg.Error, OSError) as error:
            raise StoreError(f"the database {self._name} can't be used: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    """What the server says, without its details, which quote values."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or str(error)


def _to_psycopg(sql: str) -> str:
    """`:name` → `%(name)s`."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", sql.replace("%", "%%"))
