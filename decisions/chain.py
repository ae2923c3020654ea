"""Chain: appends entries to one chain of an open store."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from time import time_ns

from decisions.record import Entry, Record, chain_records, find_head, new_chain
from decisions.store import Store, StoreError


class Chain:
    """A new chain of one process in one store, for commands; the service has decisions/writer.py."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._head = new_chain()
        store.open_chain(self._head, now(), describe_process())

    def append(self, entries: Sequence[Entry]) -> list[Record]:
        """Record entries, all or none; raises StoreError."""
        records = chain_records(entries, self._head)
        self._check(self._store.append(records, self._head))
        self._head = find_head(records)
        return records

    def erase(self, ids: Sequence[str], entry: Entry) -> None:
        """Take the personal data of these records away and record it, both or neither; raises StoreError."""
        records = chain_records([entry], self._head)
        self._check(self._store.erase(ids, records, self._head))
        self._head = find_head(records)

    def delete(self, chain: int, sequence: int, entry: Entry) -> None:
        """Delete the records of a chain up to this number and record it, both or neither; raises StoreError."""
        records = chain_records([entry], self._head)
        self._check(self._store.delete(chain, sequence, records, self._head))
        self._head = find_head(records)

    def _check(self, is_written: bool) -> None:
        if not is_written:
            raise StoreError(f"chain {self._head.chain} was changed by another process; run the command again")


def now() -> int:
    """Microseconds since 1970."""
    return time_ns() // 1_000


def describe_process() -> str:
    """The column `writer` of a chain: host and process id."""
    return f"{socket.gethostname()} {os.getpid()}"
