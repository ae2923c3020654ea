"""Members that a JSON object names twice: which one is meant can't be known, so the body is refused (RFC 8259, 4).

msgspec takes the last of them silently. A body without duplicates has as many colons as its decoded value has members,
unless a text holds a colon: only where the two differ is the body searched.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from serve.messages import Fault
from serve.problems import InvalidApplicants


def refuse_duplicates(body: bytes | bytearray, members: int) -> None:
    """Raise InvalidApplicants if an object of the body, valid JSON of so many members, names a member twice."""
    # One colon, as most bodies have that hold nothing but numbers, is found at once from both ends.
    if (members == 1 and body.find(b":") == body.rfind(b":")) or body.count(b":") == members:
        return
    import json

    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        twice.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    try:
        json.loads(body, object_pairs_hook=note)
    except RecursionError as error:
        # It takes more of the stack than msgspec does, which let the body pass.
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    if twice:
        raise InvalidApplicants(
            [Fault("", f"the member {name[:100]!r} appears twice in one object, expected once") for name in twice]
        )
