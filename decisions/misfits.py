"""Misfits: records whose hash doesn't follow from the record before them, and what was done to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from decisions.reading import select_in
from decisions.record import Record, hash_entry
from decisions.store import Store

MAX_EXPLAINED = 20
"""Records of a chain that are compared with each other."""


class Misfit(Struct, frozen=True):
    """A record that doesn't follow from the record before it, which has this hash, and None if it was deleted."""

    record: Record
    before: Record | None
    before_hash: bytes


def name_record(record: Record) -> str:
    """A record as it is named in a fault."""
    return f"chain {record.chain}, record {record.sequence}, {record.id}"


def is_following(record: Record, before_hash: bytes, sequence: int | None = None) -> bool:
    """Whether a record has the hash that it must have after another, in its place or as another number."""
    place = record.sequence if sequence is None else sequence
    return hash_entry(record, record.chain, place, record.payload_hash, before_hash) == record.hash


def explain_misfits(misfits: Sequence[Misfit], store: Store) -> Iterator[str]:
    """A sentence for each misfit of one chain, unless it is one only because of the record before it."""
    copies = _find_copies([misfit.record for misfit in misfits], store)
    hashes = {hash for misfit in misfits for hash in _possible_hashes(misfit)}
    numbers = sorted({misfit.record.sequence + step for misfit in misfits for step in (-1, 0, 1)})
    for misfit in misfits:
        record = misfit.record
        if len(misfits) > 1 and any(is_following(record, hash) for hash in hashes):
            continue
        place = next((number for number in numbers for hash in hashes if is_following(record, hash, number)), None)
        if copy := copies.get(record.payload_hash):
            what = f"doubled: {copy} is the same"
        elif place is not None:
            what = f"reordered: it was recorded as number {place}"
        else:
            what = describe_change(misfit.before)
        yield f"{name_record(record)}: {what}"


def describe_change(before: Record | None) -> str:
    """The fault of a misfit that has no other explanation."""
    if before is None:
        return "changed: its hash doesn't follow from it"
    return f"changed: its hash doesn't follow from it and {before.id} before it, so that one of the two isn't as it was"


def _possible_hashes(misfit: Misfit) -> Iterator[bytes]:
    """Hashes that the record before another may have had."""
    record = misfit.record
    yield misfit.before_hash
    yield record.hash
    yield hash_entry(record, record.chain, record.sequence, record.payload_hash, misfit.before_hash)


def _find_copies(records: Sequence[Record], store: Store) -> dict[bytes, str]:
    """Hash of the payload, which no two records share, → the record that shares it all the same."""
    ids = {record.id: record for record in records}
    sql = "SELECT payload_hash, id, chain, sequence FROM records WHERE payload_hash IN"
    found = select_in(store, sql, [record.payload_hash for record in records])
    return {
        payload_hash: f"record {sequence} of chain {chain}, {id},"
        for payload_hash, id, chain, sequence in found
        if id not in ids
    }
