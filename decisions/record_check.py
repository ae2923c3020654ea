"""Checking the records of all chains, one after the other: each by itself, and against the record before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from decisions.misfits import MAX_EXPLAINED, Misfit, describe_change, is_following, name_record
from decisions.record import (
    MAX_CHAIN,
    SCORED,
    DeletionPayload,
    ErasurePayload,
    Head,
    Record,
    hash_payload,
    search_key,
    start_head,
)


class _Row(Record, frozen=True, array_like=True):
    """A record that is checked for the types of its columns."""


class _GivenId(Struct, frozen=True):
    """What of a payload of SCORED its column `applicant` is made of."""

    id: str | int | None


_decode_given_id = msgspec.json.Decoder(_GivenId).decode
_decode_erasure = msgspec.json.Decoder(ErasurePayload).decode
_decode_deletion = msgspec.json.Decoder(DeletionPayload).decode


class RecordCheck:
    """What is known of the records that were read, in the order of (chain, sequence).

    `misfits`: by chain. `ends`: the last record of each chain. `erased`: ids of records without a payload. `deletions`:
    chain and number of the last deleted record → its hash. `models`: records of SCORED by SHA-256 of their model file.
    """

    def __init__(self, heads: dict[str, list[Head]]) -> None:
        """`heads`: records that must be among them, by where they are named."""
        self.faults: list[str] = []
        self.misfits: dict[int, list[Misfit]] = {}
        self.ends: dict[int, Record] = {}
        self.erased: set[str] = set()
        self.deletions: dict[tuple[int, int], bytes] = {}
        self.models: Counter[str | None] = Counter()
        self._first: list[Record] = []
        self._named_erased: set[str] = set()
        self._before: Record | None = None
        self._expected: dict[tuple[int, int], list[tuple[bytes, str]]] = {}
        for source, some in heads.items():
            for head in some:
                self._expected.setdefault((head.chain, head.sequence), []).append((head.hash, source))

    def read(self, row: tuple[Any, ...]) -> None:
        """Check a record by itself and against the one before it."""
        try:
            record = msgspec.convert(row, _Row)
        except msgspec.ValidationError as error:
            self.faults.append(f"chain {row[1]}, record {row[2]}, {row[0]}: changed: {error}")
            return
        if fault := self._check_payload(record):
            self.faults.append(f"{name_record(record)}: {fault}")
        if fault := self._check_place(record, has_fault=fault is not None):
            self.faults.append(f"{name_record(record)}: {fault}")
        if expected := self._expected.pop((record.chain, record.sequence), None):
            for hash, source in expected:
                if hash != record.hash:
                    self.faults.append(f"{name_record(record)}: changed: {source} names another hash")
        if record.kind in SCORED:
            self.models[record.model] += 1
        self._before = self.ends[record.chain] = record

    def finish(self, heads: Iterable[Head]) -> None:
        """Check what is known only after the last record; `heads`: of all chains as they are now."""
        last_deleted: dict[int, int] = {}
        for chain, sequence in self.deletions:
            last_deleted[chain] = max(sequence, last_deleted.get(chain, 0))
        for record in self._first:
            before_hash = self.deletions.get((record.chain, record.sequence - 1))
            if before_hash is None:
                first = last_deleted.get(record.chain, 0) + 1
                self.faults.append(
                    f"{name_record(record)}: missing: records {first} to {record.sequence - 1} before it"
                )
            elif not is_following(record, before_hash):
                self._add_misfit(record, None, before_hash)
        self._check_expected(last_deleted)
        sequences = {head.chain: head.sequence for head in heads}
        for chain, record in self.ends.items():
            if sequences.get(chain, 0) < record.sequence:
                what = "the table chains ends the chain before it" if chain in sequences else "no chain in table chains"
                self.faults.append(f"{name_record(record)}: changed: {what}")
        for id in sorted(self.erased - self._named_erased):
            self.faults.append(f"record {id}: changed: its payload is gone, and no erasure names it")

    def _check_place(self, record: Record, *, has_fault: bool) -> str | None:
        before = self._before
        if before is None or before.chain != record.chain:
            if record.sequence != 1:
                self._first.append(record)
            elif not has_fault and not is_following(record, start := _start_hash(record.chain)):
                self._add_misfit(record, None, start)
        elif record.sequence == before.sequence:
            return f"doubled: {before.id} has the same number"
        elif record.sequence > before.sequence + 1:
            return _describe_gap(before.sequence, record)
        elif not has_fault and not is_following(record, before.hash):
            self._add_misfit(record, before, before.hash)
        return None

    def _add_misfit(self, record: Record, before: Record | None, before_hash: bytes) -> None:
        some = self.misfits.setdefault(record.chain, [])
        if len(some) < MAX_EXPLAINED:
            some.append(Misfit(record, before, before_hash))
        else:
            self.faults.append(f"{name_record(record)}: {describe_change(before)}")

    def _check_payload(self, record: Record) -> str | None:
        payload, salt = record.payload, record.salt
        if payload is None:
            self.erased.add(record.id)
            return None if salt is None and record.applicant is None else "changed: its payload alone is gone"
        if record.kind in ("erasure", "deletion") and record.applicant is not None:
            return "changed: it has an applicant, and its kind has none"
        if salt is None or hash_payload(salt, payload) != record.payload_hash:
            return "changed: its payload isn't the one that was recorded"
        try:
            if record.kind in SCORED:
                if record.applicant != search_key(_decode_given_id(payload).id):
                    return "changed: its applicant isn't the one of its payload"
            elif record.kind == "erasure":
                self._named_erased.update(_decode_erasure(payload).records)
            elif record.kind == "deletion":
                deletion = _decode_deletion(payload)
                self.deletions[deletion.chain, deletion.sequence] = bytes.fromhex(deletion.hash)
        except (msgspec.MsgspecError, ValueError) as error:
            return f"changed: its payload isn't one of its kind: {error}"
        return None

    def _check_expected(self, last_deleted: dict[int, int]) -> None:
        """Heads that weren't among the records: of empty chains, or deleted by age, or missing."""
        for (chain, sequence), expected in self._expected.items():
            known = self.deletions.get((chain, sequence), None if sequence else _start_hash(chain))
            for hash, source in expected:
                if known is None and last_deleted.get(chain, 0) < sequence:
                    self.faults.append(f"chain {chain}, record {sequence}: missing: {source} names it")
                elif known is not None and hash != known:
                    self.faults.append(f"chain {chain}, record {sequence}: changed: {source} names another hash")


def _describe_gap(last: int, record: Record) -> str:
    return f"missing: records {last + 1} to {record.sequence - 1} before it"


def _start_hash(chain: int) -> bytes:
    """The hash before the first record; of a number that no chain has, one that fits nothing."""
    return start_head(chain).hash if 0 < chain <= MAX_CHAIN else b""
