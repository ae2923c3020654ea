"""Keys and their names."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.keys import MIN_KEY_LENGTH, NamedKey, read_key

KEY = "k" * MIN_KEY_LENGTH


@pytest.mark.parametrize("name", ["officer", "A", "J.Doe_2-b", "n" * 64])
def test_a_key_may_have_a_name(name: str) -> None:
    """A letter, then letters, digits and `_.-`, at most 64 characters."""
    assert read_key(f"{name}={KEY}=") == NamedKey(name, f"{KEY}=")


@pytest.mark.parametrize(
    "text", [f"{KEY}==", f"a={KEY[1:]}", f"1a={KEY}", f"a b={KEY}", f"={KEY}", f"{'n' * 65}={KEY}", f"é={KEY}", KEY]
)
def test_a_key_without_a_name_is_named_by_its_sha256(text: str) -> None:
    """So is one in Base64, whose `=` is at its end: what follows it is too short for a key."""
    assert read_key(text) == NamedKey(f"key-{sha256(text.encode()).hexdigest()[:8]}", text)


@given(st.text())
def test_no_character_of_a_key_is_lost(text: str) -> None:
    """Name and key together are what was set, or the key alone is."""
    named = read_key(text)

    assert text in (named.key, f"{named.name}={named.key}")
