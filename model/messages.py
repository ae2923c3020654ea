"""Values and expectations as they are quoted in error messages."""

from __future__ import annotations

from typing import Any

from model.contract import Field

MAX_QUOTED = 100
"""Characters of a foreign value that a message repeats: messages stay short whatever the input."""


def describe_expected(field: Field) -> str:
    """What a value of the field may be: 'a number in EUR', 'one of: own, rent'."""
    if field.kind == "category":
        return "one of: " + ", ".join(field.levels)
    return f"a number in {field.unit}" if field.unit else "a number"


def quote_value(value: Any) -> str:
    """A decoded JSON value or a cell of a table, in at most MAX_QUOTED characters."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return truncate(str(value).lower() if isinstance(value, bool) else repr(value))


def truncate(text: str, max_length: int = MAX_QUOTED) -> str:
    """The text, cut off after `max_length` characters."""
    return text if len(text) <= max_length else text[:max_length] + "…"
