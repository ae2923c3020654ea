"""Decision ids: the same for the same row of the same file, UUIDs as RFC 9562 has them."""

from __future__ import annotations

from dataclasses import replace
from uuid import RFC_4122, UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.dialect import NO_OPTIONS, DialectOptions
from score.decision_ids import id_array, make_base_id
from score.fingerprints import Fingerprint
from score.scorer import Scorer

FILE = Fingerprint("2026/may.csv", 1_000, 1_780_000_000_000_000_000, "ab" * 32)

BASE_ID = "01234567-89ab-8cde-8f01-234000000000"


@given(lines=st.lists(st.integers(1, 2**36 - 1), max_size=20))
def test_the_last_digits_are_the_line(lines: list[int]) -> None:
    """In hexadecimal; no line is cut."""
    ids = id_array(BASE_ID, np.array(lines, np.int64)).to_pylist()

    assert ids == [f"{BASE_ID[:27]}{line:09x}" for line in lines]


def test_an_id_is_a_uuid_of_version_8_made_by_this_rule(scorer: Scorer) -> None:
    """Decisions on record have these ids: a change of the rule would record them twice."""
    model = msgspec.structs.replace(scorer.model, sha256="cd" * 32)

    base = make_base_id(replace(scorer, model=model), DialectOptions(decimal=","), FILE)

    (text,) = id_array(base, np.array([255])).to_pylist()
    assert text == "019e7044-8807-8989-bfe8-d580000000ff"
    assert (UUID(text).version, UUID(text).variant, str(UUID(text))) == (8, RFC_4122, text)
    # The first 40 of the 48 bits that UUID version 7 has.
    assert UUID(text).int >> 88 == FILE.modified_ns // 1_000_000 >> 8


@pytest.mark.parametrize(
    "change", [{"path": "2026/june.csv"}, {"bytes": 1_001}, {"sha256_of_ends": "cd" * 32}, {"modified_ns": 1}]
)
def test_the_rows_of_another_file_have_other_ids(scorer: Scorer, change: dict[str, object]) -> None:
    """By its name, its size, its content, or the time when it was written."""
    other = make_base_id(scorer, NO_OPTIONS, msgspec.structs.replace(FILE, **change))

    assert other != make_base_id(scorer, NO_OPTIONS, FILE)


def test_rows_that_are_read_in_another_way_have_other_ids(scorer: Scorer) -> None:
    """By another model, with another id column, or with another meaning of their text."""
    model = msgspec.structs.replace(scorer.model, sha256="cd" * 32)
    bases = {
        make_base_id(scorer, NO_OPTIONS, FILE),
        make_base_id(replace(scorer, model=model), NO_OPTIONS, FILE),
        make_base_id(replace(scorer, id="loan"), NO_OPTIONS, FILE),
        make_base_id(scorer, DialectOptions(decimal=","), FILE),
        make_base_id(scorer, DialectOptions(separator=","), FILE),
        make_base_id(scorer, DialectOptions(encoding="cp1252"), FILE),
    }

    assert len(bases) == 6


def test_what_changes_no_decision_changes_no_id(scorer: Scorer) -> None:
    """How many reasons are named, whether inputs are written."""
    other = replace(scorer, reasons=0, is_with_inputs=True)

    assert make_base_id(other, NO_OPTIONS, FILE) == make_base_id(scorer, NO_OPTIONS, FILE)


@pytest.mark.parametrize("modified_ns", [-1, 0, 2**63 - 1])
def test_a_file_of_any_age_has_ids(scorer: Scorer, modified_ns: int) -> None:
    """Also where the file system knows no time, or a wrong one."""
    base = make_base_id(scorer, NO_OPTIONS, msgspec.structs.replace(FILE, modified_ns=modified_ns))

    assert str(UUID(base)) == base
