"""A database whose connection is lost at chosen moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from decisions.record import Head, Record
from decisions.store import ModelFile, Store, StoreError, Value, open_store

Loss = Literal["before", "after", "late"]
"""The connection is lost before the transaction reaches the database, after its commit, or the database commits it
later."""


class Database:
    """Opens connections to a real database that can be lost.

    `is_down`: no connection can be opened. `losses`: what becomes of the next appends, in order; None = nothing.
    """

    def __init__(self, url: str) -> None:
        self.is_down = False
        self.losses: list[Loss | None] = []
        self._url = url
        self._late: list[Callable[[Store], object]] = []

    def open(self, url: str) -> UnreliableStore:
        """In place of decisions.store.open_store."""
        if self.is_down:
            raise StoreError("the database is down")
        return UnreliableStore(self, open_store(self._url))

    def commit_late(self) -> None:
        """Commit what has arrived so far."""
        store = open_store(self._url)
        while self._late:
            self._late.pop(0)(store)
        store.close()

    def append(self, store: Store, records: Sequence[Record], before: Head) -> bool:
        """Append, or lose the connection."""
        loss = self.losses.pop(0) if self.losses else None
        if loss == "late":
            self._late.append(lambda other: other.append(records, before))
        if loss in ("before", "late"):
            raise StoreError("the connection was lost")
        is_written = store.append(records, before)
        if loss == "after":
            raise StoreError("the connection was lost")
        return is_written


class UnreliableStore:
    """A connection to a Database."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database, self._store = database, store

    def migrate(self) -> None:
        self._store.migrate()

    def put_model(self, model: ModelFile, time: int) -> None:
        self._store.put_model(model, time)

    def open_chain(self, head: Head, time: int, writer: str) -> None:
        self._store.open_chain(head, time, writer)

    def read_head(self, chain: int) -> Head | None:
        if self._database.is_down:
            raise StoreError("the database is down")
        return self._store.read_head(chain)

    def append(self, records: Sequence[Record], before: Head) -> bool:
        if self._database.is_down:
            raise StoreError("the database is down")
        return self._database.append(self._store, records, before)

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, ...]]:
        return self._store.query(sql, parameters)

    def interrupt(self) -> None:
        self._store.interrupt()

    def close(self) -> None:
        self._store.close()
