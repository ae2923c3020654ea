"""Record: one row of the table `records`, and the chain of hashes that shows a lost or a changed row.

Everything that happens is a record: a decision, what a challenger would have decided (a shadow), a review, an outcome,
an erasure, a deletion by age. Records are appended and never updated, except that an erasure takes payload, salt and
applicant away.

    payload_hash = SHA-256(salt ‖ payload)
    hash         = SHA-256(hash of the record before ‖ header); before the first record stands the chain as 8 bytes
    header       = JSON array of chain, sequence, id, kind, time, request_id, key, model, subject, probability,
                   decision, points, reasons, payload_hash in hexadecimal

All personal data is in the payload; the random salt keeps an erased one from being guessed from its hash. These rules
must never change for stored records: a new one needs a new kind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Literal

import msgspec
from msgspec import Struct

Kind = Literal["decision", "shadow", "review", "outcome", "erasure", "deletion"]

SCORED: tuple[Kind, ...] = ("decision", "shadow")
"""Kinds that a model file gave: their payload is a DecisionPayload, and they can be replayed."""

SALT_BYTES = 16

MAX_SEARCH_KEY = 200
"""Characters of an applicant's id that can be searched for; PostgreSQL indexes no text beyond 2,700 bytes."""

MAX_CHAIN = 2**63 - 1
"""A chain is a random number from 1 to this, so that a process can open one without asking the database."""

_encode = msgspec.json.Encoder().encode

_copied = attrgetter(
    *("kind", "time", "request_id", "key", "model", "subject", "applicant"),
    *("probability", "decision", "points", "reasons", "payload"),
)
"""What a record has of its entry, in the order of its columns."""

_hashed = attrgetter(
    *("id", "kind", "time", "request_id", "key", "model", "subject", "probability", "decision", "points", "reasons")
)
"""What stands in the header between sequence and payload_hash."""


class Entry(Struct, frozen=True):
    """What is to be recorded, before it has a place in a chain.

    `id`: UUID as text. `time`: microseconds since 1970, UTC. `request_id`, `key`: of the request, `key` the name of
    its key. `model`: SHA-256 of the model file. `subject`: id of the decision that a shadow, a review or an outcome
    is about. `applicant`: the id as given, as text, to search by. `probability`, `decision`, `points`, `reasons`: of a
    decision or a shadow; `reasons` is how many were asked for; a review has the final `decision`. `payload`: JSON, all
    that is personal.
    """

    id: str
    kind: Kind
    time: int
    payload: str
    request_id: str | None = None
    key: str | None = None
    model: str | None = None
    subject: str | None = None
    applicant: str | None = None
    probability: float | None = None
    decision: str | None = None
    points: int | None = None
    reasons: int | None = None


class Record(Struct, frozen=True):
    """An entry in its place in a chain: a row of the table `records`, with its columns in their order.

    `sequence` counts from 1. `applicant`, `payload` and `salt` are None once they have been erased.
    """

    id: str
    chain: int
    sequence: int
    kind: Kind
    time: int
    request_id: str | None
    key: str | None
    model: str | None
    subject: str | None
    applicant: str | None
    probability: float | None
    decision: str | None
    points: int | None
    reasons: int | None
    payload: str | None
    salt: bytes | None
    payload_hash: bytes
    hash: bytes


COLUMNS = Record.__struct_fields__


class Answer(Struct, frozen=True):
    """The decisions of one request; one item of each list for each applicant.

    `model`: SHA-256 of its file. `ids`: of the applicants, as given. `inputs`: as the graph took them, NaN = missing.
    `reasons`: how many were asked for.
    """

    decision_ids: Sequence[str]
    time: int
    model: str
    ids: Sequence[str | int | None]
    inputs: Sequence[Sequence[float | None]]
    probability: list[float]
    decision: list[str]
    points: list[int]
    reasons: int


class Head(Struct, frozen=True):
    """The end of a chain: number and hash of its last record; 0 and `start_hash` before the first."""

    chain: int
    sequence: int
    hash: bytes


class DecisionPayload(Struct, frozen=True):
    """Payload of a decision or a shadow: the id as given, and the inputs as the graph took them, null = missing."""

    id: str | int | None
    inputs: Sequence[float | None]


class ReviewPayload(Struct, frozen=True):
    """Payload of a review: who decided, why (a short reason), and a note."""

    who: str
    reason: str
    note: str = ""


class OutcomePayload(Struct, frozen=True):
    """Payload of an outcome: the day it was known (YYYY-MM-DD), whether the applicant defaulted, and the loss."""

    date: str
    defaulted: bool
    amount_lost: float | None = None


class ErasurePayload(Struct, frozen=True):
    """Payload of an erasure: the ids of the records whose payloads were taken away."""

    records: list[str]


class DeletionPayload(Struct, frozen=True):
    """Payload of a deletion by age: the last record of a chain that was deleted, with all before it."""

    chain: int
    sequence: int
    hash: str


def start_head(chain: int) -> Head:
    """The head of a chain without records."""
    return Head(chain, 0, chain.to_bytes(8, "big"))


def new_chain() -> Head:
    """The head of a new chain."""
    return start_head(int.from_bytes(os.urandom(8), "big") % MAX_CHAIN + 1)


def chain_records(entries: Sequence[Entry], head: Head) -> list[Record]:
    """Entries as the next records of a chain."""
    records = []
    last, sequence = head.hash, head.sequence
    salts = os.urandom(SALT_BYTES * len(entries))
    for number, entry in enumerate(entries):
        salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
        payload_hash = hash_payload(salt, entry.payload)
        sequence += 1
        last = hash_entry(entry, head.chain, sequence, payload_hash, last)
        records.append(Record(*(entry.id, head.chain, sequence, *_copied(entry), salt, payload_hash, last)))
    return records


def find_head(records: Sequence[Record]) -> Head:
    """The head of a chain after these records."""
    return Head(records[-1].chain, records[-1].sequence, records[-1].hash)


def hash_payload(salt: bytes, payload: str) -> bytes:
    """payload_hash, see above."""
    return sha256(salt + payload.encode()).digest()


def hash_entry(entry: Entry | Record, chain: int, sequence: int, payload_hash: bytes, before: bytes) -> bytes:
    """The hash of a record, see above; `before`: that of the record before it."""
    header = (chain, sequence, *_hashed(entry), payload_hash.hex())
    return sha256(before + _encode(header)).digest()


def search_key(applicant: str | int | None) -> str | None:
    """The column `applicant` of an id as given: its text, without what a database can't store or index."""
    return None if applicant is None else str(applicant).replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_SEARCH_KEY]


def make_decisions(answer: Answer, request_id: str | None, key: str | None) -> list[Entry]:
    """The entries of the decisions of one request, sent with the key of this name."""
    results = answer.probability, answer.decision, answer.points
    decisions = zip(answer.decision_ids, answer.ids, answer.inputs, *results, strict=True)
    return [
        Entry(
            id=decision_id,
            kind="decision",
            time=answer.time,
            payload=_encode(DecisionPayload(given_id, inputs)).decode(),
            request_id=request_id,
            key=key,
            model=answer.model,
            applicant=search_key(given_id),
            probability=probability,
            decision=decision,
            points=points,
            reasons=answer.reasons,
        )
        for decision_id, given_id, inputs, probability, decision, points in decisions
    ]
