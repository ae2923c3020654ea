"""Store: an open database of records, SQLite or PostgreSQL, with the same tables and the same few operations.

What differs between the two stays in sqlite.py, postgresql.py and schema/; everything else of this package writes plain
SQL that both understand, with parameters as `:name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from decisions.record import Head, Record

SQLITE_PREFIX = "sqlite:///"

POSTGRESQL_SCHEMES = ("postgresql", "postgres")


Value = str | int | float | bytes | None


class StoreError(Exception):
    """The database can't be used now; the message says why, and never holds a password or an applicant's value."""


class InvalidRecords(StoreError):
    """The database refuses these records, not the connection: the same records will be refused again."""


class ModelFile(Struct, frozen=True):
    """A model file, for the table `models`.

    `fields`: JSON array of name, kind and levels. `content`: the file, compressed by zlib.
    """

    sha256: str
    name: str
    version: str
    fields: str
    content: bytes


class TallyKey(Struct, frozen=True):
    """A row of the table `tallies`. `width`: seconds. `start`: seconds since 1970."""

    series: str
    width: int
    start: int


RECOUNTS = 0
"""The row of `tallied` that is no chain: how often counting has begun again. It shows a counter that what it has read
may have been erased or deleted since."""

EMPTY_TALLIES = (
    "DELETE FROM tallied WHERE chain <> 0",
    "DELETE FROM tallies WHERE series <> 'requests'",
    "INSERT INTO tallied VALUES (0, 1) ON CONFLICT (chain) DO UPDATE SET sequence = tallied.sequence + 1",
)
"""Statements after which all records are counted again; the times of requests can't be."""


class Store(Protocol):
    """One connection, for one thread at a time. Every method raises StoreError; after that only `close` may be called.

    Changes are durable when a method returns.
    """

    def read_version(self) -> int:
        """The version of the schema; 0 before the first `migrate`."""

    def migrate(self) -> None:
        """Create or update the schema, in one transaction; raises StoreError for a newer one."""

    def put_model(self, model: ModelFile, time: int) -> None:
        """Keep a model file, unless it is kept already. `time`: microseconds since 1970."""

    def open_chain(self, head: Head, time: int, writer: str) -> None:
        """Register a chain, unless it is registered already; `writer` says which process it belongs to."""

    def read_head(self, chain: int) -> Head | None:
        """The head of a registered chain."""

    def append(self, records: Sequence[Record], before: Head) -> bool:
        """Append the next records of a chain in one transaction.

        False, and nothing is written, if the chain's head is not `before`. Raises InvalidRecords, or StoreError: then
        `read_head` of another connection tells whether the records were written.
        """

    def erase(self, ids: Sequence[str], records: Sequence[Record], before: Head) -> bool:
        """Take applicant, payload and salt away from the records of these ids, and append the records about it.

        The tallies are emptied, so that the records are counted again without what is gone; so does `delete`.
        """

    def delete(self, chain: int, sequence: int, records: Sequence[Record], before: Head) -> bool:
        """Delete a chain's records up to this number, and append the records about it."""

    def add_tallies(
        self,
        moved: Mapping[int, tuple[int, int]],
        added: Mapping[TallyKey, bytes],
        add: Callable[[bytes, bytes], bytes],
        kept_from: Mapping[int, int] | None = None,
    ) -> bool:
        """Add counts to the tallies, and note up to which record each chain is counted, in one transaction.

        `moved`: chain → the record up to which it was counted before, 0 at first, and is now. False, and nothing is
        written, if one isn't counted up to there. `add`: the sum of two stored counts. `kept_from`: width → the first
        start that is kept; earlier tallies of this width are deleted.
        """

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, ...]]:
        """The rows of a SELECT, fetched in portions; parameters stand as `:name`."""

    def find_damage(self) -> list[str]:
        """What the database itself finds damaged in its files, where it can tell."""

    def compact(self) -> str:
        """Rewrite the files, so that erased and deleted data is gone from them; returns what is left to do, or ""."""

    def interrupt(self) -> None:
        """Make the call in progress in another thread raise StoreError soon; safe from any thread."""

    def close(self) -> None:
        """Close the connection; raises nothing."""


def open_store(url: str, *, create: bool = True) -> Store:
    """Connect to the database of a DECISIONS_URL; raises StoreError.

    `create`: whether a SQLite file that doesn't exist is created, or is an error.
    """
    check_url(url)
    if url.startswith(SQLITE_PREFIX):
        from decisions.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix(SQLITE_PREFIX)), create=create)
    try:
        from decisions.postgresql import PostgresqlStore
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs psycopg ({error}): pip install -r requirements.txt") from error
    return PostgresqlStore(url)


def resolve_url(environment: Mapping[str, str], given: str | None = None, option: str = "") -> str:
    """The URL that is given by an option, else DECISIONS_URL, "" without either; raises StoreError unless it is one.

    `DECISIONS_URL=DATABASE_URL` names the variable that has it: a platform that changes the password sets that one. So
    may an option, also by the name DECISIONS_URL.
    """
    source = option if given else "DECISIONS_URL"
    url = given or environment.get("DECISIONS_URL", "")
    for _ in range(2):
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", url):
            break
        if not environment.get(url):
            raise StoreError(f"{source} is {url!r}, and no variable of that name is set: attach a database, or set it")
        source, url = url, environment[url]
    if url:
        check_url(url, source)
    return url


def check_url(url: str, source: str = "DECISIONS_URL") -> None:
    """Raise StoreError unless a URL names a SQLite file or a PostgreSQL database; the message shows no password.

    `source`: the variable or the option that has it.
    """
    if url.startswith(SQLITE_PREFIX) and len(url) > len(SQLITE_PREFIX) and "\0" not in url:
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in POSTGRESQL_SCHEMES:
        raise StoreError(
            f"{source} begins with {url.partition(':')[0][:20]!r}, expected sqlite:///decisions.db (with four "
            "slashes an absolute path) or postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    # libpq would take a part of the password for something else, and quote it in its message.
    if parts.netloc.count("@") > 1 or re.search("%(?![0-9A-Fa-f]{2})", url):
        raise StoreError(
            f"{source} can't be read, expected special characters of user and password percent-encoded: @ is %40, "
            "% is %25, / is %2F"
        )


def hide_password(url: str) -> str:
    """A URL of PostgreSQL as it may be shown: without user, password and parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
