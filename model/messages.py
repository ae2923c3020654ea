"""Values and expectations as they are quoted in error messages."""

from __future__ import annotations

import math
from typing import Any

from model.contract import MAX_MAGNITUDE, Field

MAX_QUOTED = 100
"""Characters of a foreign value that a message repeats: messages stay short whatever the input."""


def describe_expected(field: Field) -> str:
    """What a value of the field may be: 'a number in EUR', 'one of: own, rent'."""
    if field.kind == "category":
        return "one of: " + ", ".join(field.levels)
    return f"a number in {field.unit}" if field.unit else "a number"


def describe_limit(field: Field, number: float) -> str:
    """The limit that a number is beyond, as it follows 'a number': 'greater than 0', 'of at least 300'."""
    if field.lowest is not None and number < field.lowest:
        return _describe_end(field.lowest, -math.inf, "greater than", "of at least")
    if field.highest is not None and number > field.highest:
        return _describe_end(field.highest, math.inf, "less than", "of at most")
    return f"within ±{MAX_MAGNITUDE:g}"


def _describe_end(limit: float, outwards: float, beyond: str, up_to: str) -> str:
    """The limit, or the next number, which is refused, where that has fewer digits: 0 instead of 5e-324."""
    refused = math.nextafter(limit, outwards)
    words, number = (beyond, refused) if len(repr(refused)) < len(repr(limit)) else (up_to, limit)
    # −0 + 0 is 0.
    return f"{words} {number + 0.0!r}".removesuffix(".0")


def quote_value(value: Any) -> str:
    """A decoded JSON value or a cell of a table, in at most MAX_QUOTED characters."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return truncate(str(value).lower() if isinstance(value, bool) else repr(value))


def truncate(text: str, max_length: int = MAX_QUOTED) -> str:
    """The text, cut off after `max_length` characters."""
    return text if len(text) <= max_length else text[:max_length] + "…"
