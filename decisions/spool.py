"""Spool: records that wait on the local disk until the database is back, with DECISIONS=best-effort.

One SQLite file for each process, with the schema of the database. Its records have their place in a chain already, so
that shipping them twice is impossible: the database takes a record only as the next one of its chain.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import IO
from uuid import uuid4

from decisions.chain import describe_process, now
from decisions.record import COLUMNS, Head, Record, hash_entry, start_head
from decisions.sqlite import SqliteStore
from decisions.store import ModelFile, Store, StoreError

SHIPPED_AT_ONCE = 1_000
"""Records of one transaction."""

SHIP_SECONDS = 0.05
"""Time after which shipping pauses, since new decisions wait for the same thread."""

SUFFIXES = (".db", ".db-wal", ".db-shm", ".lock")

logger = logging.getLogger("credit")


class Spool:
    """The spool of this process, made when it is first needed; `ship` empties those of dead processes too.

    `count`: number of records in it.
    """

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder = folder
        self._path = _new_path(folder)
        self._store: SqliteStore | None = None
        self._lock: IO[str] | None = None
        self._chains: set[int] = set()
        self._faults: dict[Path, str] = {}

    def append(self, records: Sequence[Record], before: Head, models: Sequence[ModelFile]) -> None:
        """Keep records, whose chain ends in `before` without them; raises StoreError."""
        if self._store is None:
            self._store = self._open()
        for model in models:
            self._store.put_model(model, now())
        if before.chain not in self._chains:
            self._store.open_chain(before, now(), describe_process())
            self._chains.add(before.chain)
        if not self._store.append(records, before):
            raise StoreError(f"the spool {self._path} was changed by another process")
        self.count += len(records)

    def ship(self, target: Store) -> bool:
        """Move records to the database, in order, for SHIP_SECONDS; raises StoreError. Returns whether none is left."""
        end = monotonic() + SHIP_SECONDS
        if self._store is not None and self.count:
            self.count = ship(self._store, target, end)
            if self.count:
                return False
            # Deleting the records would need space, which a full disk doesn't have; removing the file doesn't.
            self.close()
        abandoned = sorted(self._folder.glob("*.db")) if self._folder.is_dir() else []
        return all(self._ship_abandoned(path, target, end) for path in abandoned if path != self._path)

    def _ship_abandoned(self, path: Path, target: Store, end: float) -> bool:
        """Ship the spool of a process that has ended; one that can't be shipped stays, and is logged once."""
        try:
            return _ship_abandoned(path, target, end)
        except StoreError as error:
            # Raises if it is the database that fails.
            target.read_head(0)
            if self._faults.get(path) != str(error):
                self._faults[path] = str(error)
                logger.error("the spool %s can't be shipped, and is kept: %s", path, error)  # noqa: TRY400
            return True

    def close(self) -> None:
        """Close the file; remove it if all of it is shipped. The next records get another one."""
        if self._store is None or self._lock is None:
            return
        self._store.close()
        if not self.count:
            _remove(self._path)
        self._lock.close()
        self._path, self._store, self._lock = _new_path(self._folder), None, None
        self._chains.clear()

    def _open(self) -> SqliteStore:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Kept where the last attempt failed after it.
            self._lock = self._lock or _lock(self._path)
        except OSError as error:
            raise StoreError(f"the spool {self._path} can't be made: {error}; see DECISIONS_SPOOL") from error
        store = SqliteStore(self._path, create=True)
        try:
            store.migrate()
        except StoreError:
            store.close()
            raise
        return store


def ship(source: SqliteStore, target: Store, end: float) -> int:
    """Copy what the database lacks of a spool, in the order of each chain; raises StoreError.

    Pauses after `end`, by time.monotonic; returns how many records are left.
    """
    models = source.query("SELECT sha256, name, version, fields, content FROM models")
    for sha256, name, version, fields, content in models:
        target.put_model(ModelFile(sha256, name, version, fields, content), now())
    is_late = False
    for chain, writer in list(source.query("SELECT chain, writer FROM chains ORDER BY opened")):
        target.open_chain(start_head(chain), now(), writer)
        while True:
            head = _find_head(target, chain)
            _check_head(source, head)
            records = _read_next(source, head)
            if not records:
                break
            if is_late:
                return _count_left(source, target)
            if hash_entry(records[0], chain, head.sequence + 1, records[0].payload_hash, head.hash) != records[0].hash:
                raise StoreError(f"the database has lost records of chain {chain}: the spool doesn't continue it")
            target.append(records, head)
            is_late = monotonic() > end
    return 0


def _count_left(source: Store, target: Store) -> int:
    """By number, since counting the records of a large spool would take long."""
    left = 0
    first = "(SELECT min(sequence) FROM records WHERE records.chain = chains.chain)"
    for chain, start, end in list(source.query(f"SELECT chain, {first}, sequence FROM chains")):  # noqa: S608
        head = target.read_head(chain) or start_head(chain)
        # A chain whose first records couldn't be written has none.
        left += 0 if start is None else max(0, end - max(head.sequence, start - 1))
    return left


def _find_head(target: Store, chain: int) -> Head:
    head = target.read_head(chain)
    if head is None:
        raise StoreError(f"chain {chain} is gone from the database")
    return head


def _check_head(source: Store, head: Head) -> None:
    sql = "SELECT 1 FROM records WHERE chain = :chain AND sequence = :sequence AND hash <> :hash"
    if list(source.query(sql, {"chain": head.chain, "sequence": head.sequence, "hash": head.hash})):
        raise StoreError(f"the database has other records in chain {head.chain} than the spool")


def _read_next(source: Store, head: Head) -> list[Record]:
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM records WHERE chain = :chain AND sequence > :sequence "  # noqa: S608
        "ORDER BY sequence LIMIT :limit"
    )
    parameters = {"chain": head.chain, "sequence": head.sequence, "limit": SHIPPED_AT_ONCE}
    return [Record(*row) for row in source.query(sql, parameters)]


def _ship_abandoned(path: Path, target: Store, end: float) -> bool:
    """Ship the spool of a process that has ended, unless another process is at it; returns whether that is done."""
    try:
        lock = _lock(path)
    except BlockingIOError:
        return True
    with lock:
        # Another process may have shipped and removed it meanwhile.
        if path.is_file():
            store = SqliteStore(path, create=False)
            try:
                if ship(store, target, end):
                    return False
            finally:
                store.close()
            logger.info("shipped the spool of an earlier process: %s", path.name)
        _remove(path)
    return True


def _new_path(folder: Path) -> Path:
    return folder / f"{uuid4()}.db"


def _lock(path: Path) -> IO[str]:
    """Hold the lock of a spool; raises BlockingIOError while another process holds it."""
    lock = path.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _remove(path: Path) -> None:
    for suffix in SUFFIXES:
        path.with_suffix(suffix).unlink(missing_ok=True)
