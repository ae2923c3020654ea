"""The server that tests and benchmarks record decisions in."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres_server import PostgresServer, find_programs
from tests.tools import skip_without


@pytest.fixture
def server() -> PostgresServer:
    """A server that isn't started yet."""
    try:
        find_programs()
    except FileNotFoundError:
        skip_without("PostgreSQL server")
    return PostgresServer()


def test_committed_rows_outlive_a_kill_and_a_restart(server: PostgresServer) -> None:
    """What was committed is there after kill -9 and after a restart; the end of the block removes the server."""
    with server:
        url = server.create_database()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n INTEGER)")
            connection.execute("INSERT INTO kept VALUES (1)")
            server.kill()
        server.start()
        server.restart()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)


def test_a_dropped_database_is_as_empty_as_a_new_one(postgres_server: PostgresServer) -> None:
    """Whoever is connected to it, whatever its settings; its address is gone."""
    url = postgres_server.create_database()
    with psycopg.connect(url, autocommit=True) as left:
        left.execute("CREATE TABLE kept (n INTEGER)")
        left.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on".encode())

        postgres_server.drop_database(url)

        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(url)
    with psycopg.connect(postgres_server.create_database()) as connection:
        connection.execute("CREATE TABLE kept (n INTEGER)")


def test_hanging_server_is_removed(server: PostgresServer) -> None:
    """Neither its processes nor its folder are left."""
    with server:
        server.pause()
    assert not server.log.exists()
