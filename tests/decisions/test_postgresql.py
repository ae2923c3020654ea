"""PostgreSQL: what the tests of both stores can't show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from decisions.postgresql import PostgresqlStore
from decisions.record import chain_records, find_head, new_chain
from decisions.store import InvalidRecords, StoreError, TallyKey
from decisions.writer import Writer
from tests.decisions.samples import MODEL, NOW, make_entries, read_records


@pytest.fixture
def owner(postgresql_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of the owner of a migrated database."""
    store = PostgresqlStore(postgresql_url)
    store.migrate()
    store.put_model(MODEL, NOW)
    store.close()
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection


def test_a_service_needs_few_rights(owner: psycopg.Connection[tuple[object, ...]], postgresql_url: str) -> None:
    """To append, to move the ends of chains, and to count: neither to change nor to remove a record."""
    owner.execute("DROP ROLE IF EXISTS service")
    owner.execute("CREATE ROLE service LOGIN PASSWORD 'SECRET'")
    owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO service")
    owner.execute("GRANT INSERT ON models, chains, records TO service")
    owner.execute("GRANT UPDATE (sequence, hash) ON chains TO service")
    owner.execute("GRANT INSERT, UPDATE, DELETE ON tallied, tallies TO service")
    store = PostgresqlStore(postgresql_url.replace("//postgres@", "//service:SECRET@"))
    store.migrate()
    store.put_model(MODEL, NOW)
    head = new_chain()
    store.open_chain(head, NOW, "host 1")
    records = chain_records(make_entries("a"), head)

    assert store.append(records, head)
    assert store.add_tallies({head.chain: (0, 1)}, {TallyKey("a", 600, 0): b"1"}, max, {600: 0})
    about = chain_records(make_entries("b"), find_head(records))
    with pytest.raises(StoreError, match="permission denied for table records") as caught:
        store.erase([records[0].id], about, find_head(records))

    assert "SECRET" not in str(caught.value)
    assert read_records(store) == records
    store.close()
    owner.execute("DROP OWNED BY service")
    owner.execute("DROP ROLE service")


def test_commits_are_durable_whatever_the_server_defaults_to(
    owner: psycopg.Connection[tuple[object, ...]], postgresql_url: str
) -> None:
    """Before the first record; a stricter setting stays."""
    name = postgresql_url.rpartition("/")[2]
    found: list[tuple[str]] = []
    for setting in ("off", "on", "remote_apply"):
        owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = {setting}".encode())
        store = PostgresqlStore(postgresql_url)
        store.open_chain(new_chain(), NOW, "host 1")
        found += store.query("SELECT current_setting('synchronous_commit')")
        store.close()

    assert found == [("on",), ("on",), ("remote_apply",)]


def test_a_missing_table_is_no_fault_of_the_records(
    owner: psycopg.Connection[tuple[object, ...]], postgresql_url: str, tmp_path: Path
) -> None:
    """They go to the spool, and to the database once it is repaired."""
    writer = Writer(postgresql_url, tmp_path)
    writer.connect()
    writer.maintain()
    writer.write(make_entries("a"))
    owner.execute("ALTER TABLE records RENAME TO moved")
    writer.write(make_entries("b"))
    assert (writer.is_connected, writer.spooled) == (False, 1)
    owner.execute("ALTER TABLE moved RENAME TO records")
    writer.connect()

    assert writer.maintain()
    assert owner.execute("SELECT applicant FROM records ORDER BY sequence").fetchall() == [("a",), ("b",)]
    writer.close()


def test_a_read_only_server_is_no_fault_of_the_records(postgresql_url: str) -> None:
    """Such as a standby after a failover."""
    store = PostgresqlStore(f"{postgresql_url}?options={quote('-c default_transaction_read_only=on')}")

    with pytest.raises(StoreError, match="read-only transaction") as caught:
        store.migrate()

    assert not isinstance(caught.value, InvalidRecords)
    store.close()


def test_a_connection_that_the_server_ends_is_a_store_error(
    owner: psycopg.Connection[tuple[object, ...]], postgresql_url: str
) -> None:
    """And closing it raises nothing."""
    store = PostgresqlStore(postgresql_url)
    owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'credit decisions'")

    with pytest.raises(StoreError, match="can't be used"):
        store.read_head(1)
    store.close()
    store.close()
