"""The rules of a card: [[policy.rules]], comparisons and memberships of inputs joined by and/or. Read by card.py."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
Number = int | float
"""An integer is kept as it is, so that one that float64 can't hold is found."""


class Multiple(Struct, frozen=True, forbid_unknown_fields=True):
    """A multiple of another input: { times = 5, field = "Income" }."""

    times: Number
    field: Text


class CardCondition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition on one field, all of whose tests must hold; or `all` or `any` of other conditions."""

    field: str | None = None
    below: Number | Multiple | None = None
    at_most: Number | Multiple | None = None
    above: Number | Multiple | None = None
    at_least: Number | Multiple | None = None
    is_in: tuple[str | Number, ...] | None = msgspec.field(default=None, name="in")
    not_in: tuple[str | Number, ...] | None = None
    missing: Literal[True] | None = None
    all: tuple[CardCondition, ...] = ()
    any: tuple[CardCondition, ...] = ()


class CardRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where all, or any, of the conditions hold, the decision is at least `decision`; `date`: since when it applies."""

    name: Text
    decision: Literal["review", "refuse"]
    reason: Text
    date: datetime.date | None = None
    all: tuple[CardCondition, ...] = ()
    any: tuple[CardCondition, ...] = ()
