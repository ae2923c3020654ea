"""API keys with names: a key of API_KEYS or DECISIONS_KEYS, as `name=key` or alone."""

from __future__ import annotations

import re
from hashlib import sha256

from msgspec import Struct

MIN_KEY_LENGTH = 16
"""Shorter keys are refused, since they can be guessed."""

_NAMED = re.compile(rf"([A-Za-z][A-Za-z0-9_.-]{{0,63}})=(.{{{MIN_KEY_LENGTH},}})", re.DOTALL)


class NamedKey(Struct, frozen=True):
    """A key, and the name under which a record says who asked."""

    name: str
    key: str


def read_key(text: str) -> NamedKey:
    """A key as it is set: `name=key`, or a key alone, which is named by its SHA-256.

    Where fewer than MIN_KEY_LENGTH characters follow the first `=`, it is part of the key, as in Base64.
    """
    if named := _NAMED.fullmatch(text):
        return NamedKey(named[1], named[2])
    return NamedKey(f"key-{sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}", text)
