"""Records and their chain of hashes."""

from __future__ import annotations

import json
import math
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.record import (
    MAX_SEARCH_KEY,
    DecisionPayload,
    Entry,
    Record,
    chain_records,
    find_head,
    hash_entry,
    hash_payload,
    make_decisions,
    new_chain,
    search_key,
    start_head,
)
from tests.decisions.samples import MODEL, NOW, POISON, assert_whole, make_answer, make_entries


def test_hashes_follow_the_documented_rules() -> None:
    """Written out by hand: stored chains must stay verifiable for ever."""
    entry = Entry(
        id="01a00000-0000-7000-8000-000000000001",
        kind="decision",
        time=NOW,
        payload='{"id":"A-17","inputs":[1.5,null]}',
        request_id="r-1",
        key="web",
        model="ab" * 32,
        applicant="A-17",
        probability=0.1,
        decision="accept",
        points=612,
        reasons=4,
    )
    (record,) = chain_records([entry], start_head(258))

    assert record.salt is not None
    payload_hash = sha256(record.salt + b'{"id":"A-17","inputs":[1.5,null]}').digest()
    header = (
        '[258,1,"01a00000-0000-7000-8000-000000000001","decision",1780000000000000,"r-1","web",'
        f'"{"ab" * 32}",null,0.1,"accept",612,4,"{payload_hash.hex()}"]'
    )
    assert record.payload_hash == payload_hash
    assert record.hash == sha256(b"\0\0\0\0\0\0\1\2" + header.encode()).digest()
    assert record.applicant == "A-17"


def test_records_continue_a_chain() -> None:
    """Whether they come at once or one after the other."""
    entries = make_entries("a", "b", "c")
    head = new_chain()
    first = chain_records(entries[:1], head)
    rest = chain_records(entries[1:], find_head(first))

    assert assert_whole(first + rest) == find_head(rest)
    assert [record.id for record in first + rest] == [entry.id for entry in entries]
    assert len({record.salt for record in first + rest}) == 3


@pytest.mark.parametrize(
    "name", [name for name in Record.__struct_fields__ if name not in ("applicant", "payload", "salt", "hash")]
)
def test_each_column_that_outlives_an_erasure_is_hashed(name: str) -> None:
    """A changed one gives another hash."""
    (record,) = chain_records(make_entries("a"), new_chain())
    value = getattr(record, name)
    changed = value + "x" if isinstance(value, str) else b"x" if isinstance(value, bytes) else 1 + (value or 0)
    other = replace(record, **{name: changed})

    hashes = {hash_entry(one, one.chain, one.sequence, one.payload_hash, b"") for one in (record, other)}

    assert len(hashes) == 2


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_probabilities_are_hashed_exactly(probability: float) -> None:
    """Neighbouring floats have different hashes."""
    (entry,) = make_entries("a")
    near = [probability, math.nextafter(probability, math.inf), math.nextafter(probability, -math.inf)]

    hashes = {hash_entry(replace(entry, probability=value), 1, 1, b"", b"") for value in near}

    assert len(hashes) == 3


def test_equal_payloads_have_different_hashes() -> None:
    """The salt keeps an erased payload from being guessed."""
    entries = make_entries("a")
    hashes = {chain_records(entries, start_head(1))[0].payload_hash for _ in range(3)}

    assert len(hashes) == 3
    assert hash_payload(b"s", "p") == sha256(b"sp").digest()


def test_chains_have_numbers_of_their_own() -> None:
    """Positive, so that they fit a signed integer of 8 bytes."""
    heads = [new_chain() for _ in range(100)]

    assert len({head.chain for head in heads}) == 100
    assert all(0 < head.chain < 2**63 and head.sequence == 0 for head in heads)
    assert heads[0].hash == heads[0].chain.to_bytes(8, "big")


@pytest.mark.parametrize("given_id", POISON)
def test_ids_are_kept_as_given(given_id: str | int | None) -> None:
    """In the payload, whatever they are; the column to search by holds what a database can store and index."""
    (entry,) = make_decisions(make_answer(given_id), None, None)

    assert msgspec.json.decode(entry.payload, type=DecisionPayload).id == given_id
    assert json.loads(entry.payload)["id"] == given_id
    assert entry.applicant == search_key(given_id)


@given(st.one_of(st.integers(), st.text(max_size=300)))
def test_search_keys_can_be_stored(given_id: str | int) -> None:
    """Without NUL, not too long, and equal to the id's text if that can be stored."""
    key = search_key(given_id)

    assert key is not None
    assert "\0" not in key
    assert len(key) <= MAX_SEARCH_KEY
    assert key == str(given_id)[:MAX_SEARCH_KEY] or "\0" in str(given_id)


@given(st.lists(st.one_of(st.floats(allow_infinity=False), st.none()), max_size=5))
def test_inputs_are_kept_exactly(inputs: list[float | None]) -> None:
    """Every bit, NaN as missing."""
    (entry,) = make_decisions(replace(make_answer("a"), inputs=[inputs]), None, None)

    read = msgspec.json.decode(entry.payload, type=DecisionPayload).inputs
    assert [repr(value) for value in read] == [
        "None" if value is None or math.isnan(value) else repr(value) for value in inputs
    ]


def test_decisions_of_a_request_become_entries() -> None:
    """One for each applicant, with what was answered and who asked."""
    answer = make_answer("a", 7)
    entries = make_decisions(answer, "request-1", "web")

    assert entries[1] == Entry(
        id=answer.decision_ids[1],
        kind="decision",
        time=NOW,
        payload='{"id":7,"inputs":[1.1,1.0]}',
        request_id="request-1",
        key="web",
        model=MODEL.sha256,
        applicant="7",
        probability=0.5,
        decision="accept",
        points=599,
        reasons=4,
    )
    assert len(entries) == 2


def test_lists_of_different_lengths_are_an_error() -> None:
    """Nothing is recorded of a request whose lists don't belong together."""
    with pytest.raises(ValueError, match="zip"):
        make_decisions(replace(make_answer("a", "b"), points=[1]), None, None)
