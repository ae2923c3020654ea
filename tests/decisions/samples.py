"""Decisions and model files for the tests of decisions/."""

from __future__ import annotations

import zlib
from hashlib import sha256

import msgspec

from decisions.ids import IdSource
from decisions.record import Answer, Entry, Head, Record, hash_entry, hash_payload, make_decisions, start_head
from decisions.store import ModelFile, Store

CONTENT = b"a model file"

FIELDS = [
    {"name": "Amount", "kind": "number", "levels": []},
    {"name": "Home", "kind": "category", "levels": ["own", "rent"]},
]

MODEL = ModelFile(
    sha256=sha256(CONTENT).hexdigest(),
    name="test",
    version="1",
    fields=msgspec.json.encode(FIELDS).decode(),
    content=zlib.compress(CONTENT),
)

NOW = 1_780_000_000_000_000

POISON: list[str | int | None] = [
    "plain",
    None,
    7,
    "7",
    -(2**63) - 1,
    10**30,
    "",
    "a\0b",
    "\\u0000",
    "\0" * 300,
    "x" * 10_000,
    "é😀" * 3_000,
    "'; DROP TABLE records; --",
    '"inputs":[0]},{"',
    "%(id)s :id \t\r\n\x7f\u2028",
]
"""Ids of applicants that a database could misread."""

ids = IdSource()


def make_answer(*applicants: str | int | None, time: int = NOW) -> Answer:
    """Decisions of one request; the k-th applicant has the inputs k + 0.1 and level k modulo 2."""
    n = len(applicants)
    return Answer(
        decision_ids=ids.reserve(n),
        time=time,
        model=MODEL.sha256,
        ids=applicants,
        inputs=[[k + 0.1, float(k % 2)] for k in range(n)],
        probability=[(k + 1) / (n + 2) for k in range(n)],
        decision=["accept"] * n,
        points=[600 - k for k in range(n)],
        reasons=4,
    )


def make_entries(*applicants: str | int | None) -> list[Entry]:
    """The same as entries."""
    return make_decisions(make_answer(*applicants), "request-1", "web")


def read_records(store: Store) -> list[Record]:
    """All records, chain by chain in order."""
    columns = ", ".join(Record.__struct_fields__)
    rows = store.query(f"SELECT {columns} FROM records ORDER BY chain, sequence")  # noqa: S608
    return [Record(*row) for row in rows]


def assert_whole(records: list[Record]) -> Head:
    """Fail unless these are all records of one chain, unchanged; returns its head."""
    head = start_head(records[0].chain)
    for record in records:
        assert (record.chain, record.sequence) == (head.chain, head.sequence + 1)
        assert record.payload is not None
        assert record.salt is not None
        assert record.payload_hash == hash_payload(record.salt, record.payload)
        hashed = hash_entry(record, record.chain, record.sequence, record.payload_hash, head.hash)
        assert record.hash == hashed
        head = Head(record.chain, record.sequence, hashed)
    return head
