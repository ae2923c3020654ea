"""The tables and views of both databases, as SQL, and their versions.

A change of the schema is a new file N.sql in sqlite/ and in postgresql/, and SCHEMA_VERSION = N; a file that was ever
released must not change. `Store.migrate` runs the missing ones in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from decisions.store import StoreError

SCHEMA_VERSION = 2


def read_migrations(dialect: str, version: int) -> Iterator[tuple[int, list[str]]]:
    """Number and statements of each file that a database of this version lacks, in order."""
    for number in range(version + 1, SCHEMA_VERSION + 1):
        text = (Path(__file__).parent / dialect / f"{number}.sql").read_text(encoding="utf-8")
        yield number, split_statements(text)


def split_statements(script: str) -> list[str]:
    """The statements of a script; a semicolon ends one where SQLite says that it is complete."""
    statements, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            statements.append(statement.strip())
            statement = ""
    return statements


def newer_schema(version: int) -> StoreError:
    """The error for a database that a newer version of this code has migrated."""
    return StoreError(
        f"the database has schema version {version}, expected at most {SCHEMA_VERSION}: "
        "run the version of the code that migrated it"
    )
