"""Writer: the connection, the chain and the spool of one process of the service. One thread runs it, another connects.

Exactly once: the head of the chain is moved in the transaction that writes the records, so that after a lost connection
the head tells whether the last ones were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from decisions.chain import describe_process, now
from decisions.record import Entry, Record, chain_records, find_head, new_chain
from decisions.spool import Spool
from decisions.store import InvalidRecords, ModelFile, Store, StoreError, open_store


class Writer:
    """Appends to the database; with a folder for a spool, to a file in it while the database can't be used.

    `error`: why it can't be used, if it isn't connected.
    """

    def __init__(self, url: str, spool_folder: Path | None) -> None:
        self.error = "not connected yet"
        self._url = url
        self._head = new_chain()
        self._is_registered = False
        self._spool = None if spool_folder is None else Spool(spool_folder)
        self._models: list[ModelFile] = []
        self._n_kept_models = 0
        self._store: Store | None = None
        self._new_store: Store | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the database could be used the last time."""
        return self._store is not None

    @property
    def spooled(self) -> int:
        """Number of records in the spool of this process."""
        return self._spool.count if self._spool else 0

    def add_model(self, model: ModelFile) -> None:
        """Keep a model file before the first record that names it."""
        self._models.append(model)

    def connect(self) -> None:
        """Connect and migrate, for the next `maintain`; raises StoreError. It may take long: another thread runs it."""
        try:
            self._new_store = open_store(self._url)
            self._new_store.migrate()
        except StoreError as error:
            self.error = str(error)
            self._drop_new_store()
            raise

    def maintain(self) -> bool:
        """Take a new connection into use, check it, keep new models and ship the next records of the spool.

        Raises StoreError. Returns whether the spool is empty.
        """
        if self._new_store is not None:
            self._store, self._new_store = self._new_store, None
            self._n_kept_models, self._is_registered = 0, False
        if self._store is None:
            raise StoreError(self.error)
        try:
            # So that a lost connection is noticed before a request needs it.
            self._store.read_head(self._head.chain)
            self._keep_models(self._store)
            return self._spool is None or self._spool.ship(self._store)
        except StoreError as error:
            self._disconnect(error)
            raise

    def write(self, entries: Sequence[Entry]) -> None:
        """Record entries, all or none.

        Raises InvalidRecords, or StoreError: then they may be recorded, if the connection was lost in that moment.
        """
        records = chain_records(entries, self._head)
        store = None if self.spooled else self._store
        if store is not None:
            try:
                if self._append(store, records):
                    return
                # Records of a connection that was lost had been written after all.
                self._head = store.read_head(self._head.chain) or self._head
                records = chain_records(entries, self._head)
                if self._append(store, records):
                    return
            except InvalidRecords:
                raise
            except StoreError as error:
                self._disconnect(error)
            else:
                self._disconnect(StoreError(f"another process appends to chain {self._head.chain}"))
        if self._spool is None:
            raise StoreError(self.error)
        # In the same place of the chain: should the database have these records after all, shipping skips them.
        try:
            self._spool.append(records, self._head, self._models)
        except StoreError:
            # Nor must others take their place, in the spool or in the database.
            self._head, self._is_registered = new_chain(), False
            raise
        self._head = find_head(records)

    def interrupt(self) -> None:
        """Make the call in progress raise StoreError soon; from another thread."""
        for store in (self._store, self._new_store):
            if store is not None:
                store.interrupt()

    def close(self) -> None:
        """Close the connection and the spool."""
        self._disconnect(StoreError("closed"))
        self._drop_new_store()
        if self._spool is not None:
            self._spool.close()

    def _drop_new_store(self) -> None:
        if self._new_store is not None:
            self._new_store.close()
            self._new_store = None

    def _keep_models(self, store: Store) -> None:
        for model in self._models[self._n_kept_models :]:
            store.put_model(model, now())
            self._n_kept_models += 1

    def _append(self, store: Store, records: list[Record]) -> bool:
        self._keep_models(store)
        if not self._is_registered:
            store.open_chain(self._head, now(), describe_process())
            self._is_registered = True
        if not store.append(records, self._head):
            return False
        self._head = find_head(records)
        return True

    def _disconnect(self, error: StoreError) -> None:
        if self._store is not None:
            self._store.close()
        self._store, self.error = None, str(error)
