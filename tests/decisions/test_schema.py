"""The schema: the same tables and views in both databases, and migrations that only add."""

from __future__ import annotations

import re
import sqlite3

import pytest

from decisions.record import COLUMNS
from decisions.schema import SCHEMA_VERSION, newer_schema, read_migrations, split_statements
from decisions.store import Store, open_store

DIALECTS = ("sqlite", "postgresql")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_version_has_its_file(dialect: str) -> None:
    """A database gets those that it lacks, in order."""
    for version in range(SCHEMA_VERSION + 1):
        numbers = [number for number, _ in read_migrations(dialect, version)]
        assert numbers == list(range(version + 1, SCHEMA_VERSION + 1))


def test_both_databases_have_the_same_tables_and_columns(postgresql_url: str, tmp_path: object) -> None:
    """With the same names in the same order; those of `records` are the attributes of Record."""
    found = []
    for url in (postgresql_url, f"sqlite:///{tmp_path}/decisions.db"):
        store = open_store(url)
        store.migrate()
        names = ("models", "chains", "records", "decisions", "reviews", "outcomes", "shadows", "tallied", "tallies")
        found.append({name: read_columns(store, name) for name in names})
        store.close()

    assert found[0] == found[1]
    assert tuple(found[0]["records"]) == COLUMNS


def read_columns(store: Store, table: str) -> list[str]:
    """The names of a table's columns, in order."""
    if type(store).__name__ == "SqliteStore":
        sql = "SELECT name FROM pragma_table_info(:name)"
    else:
        sql = "SELECT column_name FROM information_schema.columns WHERE table_name = :name ORDER BY ordinal_position"
    return [name for (name,) in store.query(sql, {"name": table})]


def test_statements_end_where_sql_says() -> None:
    """Not at a semicolon in a text or a comment."""
    script = "-- first; not\nCREATE TABLE a (b TEXT DEFAULT ';');\nSELECT 1,\n2;\n"

    assert split_statements(script) == ["-- first; not\nCREATE TABLE a (b TEXT DEFAULT ';');", "SELECT 1,\n2;"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_statement_is_one(dialect: str) -> None:
    """The last one of a file too."""
    statements = [statement for _, script in read_migrations(dialect, 0) for statement in script]

    assert all(sqlite3.complete_statement(statement) for statement in statements)
    assert all(len(re.findall(r"^CREATE ", statement, re.MULTILINE)) == 1 for statement in statements)


def test_a_newer_schema_is_an_error_with_a_next_step() -> None:
    assert "run the version of the code that migrated it" in str(newer_schema(7))
