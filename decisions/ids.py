"""Ids of decisions: UUID version 7 (RFC 9562, 5.7), ordered by time; those of one request are consecutive numbers."""

from __future__ import annotations

import os
from time import time_ns
from uuid import UUID

_FIXED_BITS = 0x7 << 76 | 0x2 << 62
"""Version and variant."""


class IdSource:
    """Makes ids for one process; a clock that is set back doesn't make them decrease."""

    def __init__(self) -> None:
        self._milliseconds = 0

    def reserve(self, count: int) -> list[str]:
        """The ids of a request: consecutive numbers, written as UUIDs."""
        self._milliseconds = max(self._milliseconds, time_ns() // 1_000_000)
        random = int.from_bytes(os.urandom(10), "big")
        # The highest of the lower 62 bits stays 0, so that counting never carries into the variant.
        first = self._milliseconds << 80 | _FIXED_BITS | (random >> 61 & 0xFFF) << 64 | random & (1 << 61) - 1
        return [write_id(number) for number in range(first, first + count)]


def write_id(number: int) -> str:
    """An id as text: lower-case hexadecimal with hyphens."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_id(text: str) -> bool:
    """Whether a text is an id as `write_id` writes it."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
