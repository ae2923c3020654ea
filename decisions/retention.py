"""Retention: the data of one applicant is erased on request, and all records are deleted after some time.

Both are recorded, so that `verify` can tell them from a loss.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from decisions.chain import Chain, now
from decisions.ids import IdSource
from decisions.reading import EPOCH, MICROSECOND
from decisions.record import DeletionPayload, Entry, ErasurePayload, Kind, Record
from decisions.store import Store
from model.messages import quote_value

_encode = msgspec.json.Encoder().encode


class KindCount(Struct, frozen=True):
    """How many records of a kind, and from when to when, microseconds since 1970."""

    kind: Kind
    records: int
    first: int
    last: int


class OldRecords(Struct, frozen=True):
    """The first records of a chain, up to this number, whose hash is `hash`."""

    chain: int
    sequence: int
    hash: bytes
    counts: list[KindCount]


def erase(store: Store, records: Sequence[Record]) -> None:
    """Take the personal data of records away, in one transaction; raises StoreError."""
    ids = [record.id for record in records]
    Chain(store).erase(ids, _make_entry("erasure", ErasurePayload(ids)))


def find_old(store: Store, before: int) -> list[OldRecords]:
    """What can be deleted: in each chain the records before the first that is younger, microseconds since 1970.

    A chain is only cut at its beginning, and never behind an erasure or a deletion. Raises StoreError.
    """
    first_kept = """
        SELECT chain, min(sequence) FROM records WHERE time >= :before OR kind IN ('erasure', 'deletion') GROUP BY chain
    """
    kept = dict(store.query(first_kept, {"before": before}))
    bounds = list(store.query("SELECT chain, min(sequence), max(sequence) FROM records GROUP BY chain"))
    old = []
    for chain, first, last in bounds:
        end = kept.get(chain, last + 1) - 1
        if end >= first:
            old.append(_describe(store, chain, end))
    return old


def prune(store: Store, old: Sequence[OldRecords]) -> None:
    """Delete old records, each chain's in one transaction; raises StoreError."""
    chain = Chain(store)
    for some in old:
        payload = DeletionPayload(some.chain, some.sequence, some.hash.hex())
        chain.delete(some.chain, some.sequence, _make_entry("deletion", payload))


def read_age(text: str, time: int) -> int:
    """The time that was '26m', '90d' or '3y' (calendar months, days, years) before `time`; raises ValueError."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dmy])", text)
    if match is None:
        raise ValueError(f"the age is {quote_value(text)}, expected days, months or years: 90d, 26m or 3y")
    number, unit = int(match[1]), match[2]
    moment = EPOCH + time * MICROSECOND
    try:
        moment = moment - timedelta(days=number) if unit == "d" else _subtract_months(moment, number, unit)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"the age is {quote_value(text)}, expected one that ends after the year 1") from error
    return (moment - EPOCH) // MICROSECOND


def _subtract_months(moment: datetime, number: int, unit: str) -> datetime:
    """The same day of an earlier month, or its last day if it is shorter."""
    month = moment.year * 12 + moment.month - 1 - number * (12 if unit == "y" else 1)
    year, month = month // 12, month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _describe(store: Store, chain: int, end: int) -> OldRecords:
    where, parameters = "FROM records WHERE chain = :chain AND sequence", {"chain": chain, "end": end}
    counted = f"SELECT kind, count(*), min(time), max(time) {where} <= :end GROUP BY kind"
    counts = [KindCount(*row) for row in store.query(counted, parameters)]
    ((hash,),) = list(store.query(f"SELECT hash {where} = :end", parameters))
    return OldRecords(chain, end, hash, counts)


def _make_entry(kind: Kind, payload: Struct) -> Entry:
    return Entry(id=IdSource().reserve(1)[0], kind=kind, time=now(), payload=_encode(payload).decode())
