"""What a model's answer says to people about one applicant: reasons, and warnings about its values, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from model.contract import Field
from model.session import Matrix

MISSING = "missing"
"""What is said instead of a value that isn't there."""


class Remark(Struct, frozen=True):
    """Something a person should know about an applicant that was scored all the same."""

    field: str
    detail: str


class Reason(Struct, frozen=True):
    """A field that raised the risk: its value in words, its contribution to the log-odds, and what to tell."""

    field: str
    label: str
    value: str
    contribution: float
    text: str


def name_reasons(row: Matrix, contributions: Matrix, fields: Sequence[Field], most: int) -> list[Reason]:
    """At most `most` reasons, the largest contribution to the risk first; only fields that raised it.

    row and contributions: float64, shape (n_fields,).
    """
    largest = (-contributions).argsort(kind="stable")[:most].tolist()
    return [
        Reason(
            field=fields[column].name,
            label=fields[column].label,
            value=describe_value(float(row[column]), fields[column]),
            contribution=float(contributions[column]),
            text=f"{fields[column].label}: missing" if math.isnan(row[column]) else fields[column].reason,
        )
        for column in largest
        if contributions[column] > 0
    ]


def warn(row: Matrix, fields: Sequence[Field]) -> list[Remark]:
    """What a person should know of one applicant, float64, shape (n_fields,): gaps, values out of bounds."""
    cells = zip(row.tolist(), fields, strict=True)
    return [Remark(field.name, text) for value, field in cells for text in _remarks(value, field)]


def _remarks(value: float, field: Field) -> Iterator[str]:
    if math.isnan(value):
        yield f"{field.label}: missing"
    elif field.minimum is not None and value < field.minimum:
        yield f"{field.label} is {describe_value(value, field)}, below the documented minimum of {field.minimum:g}"
    elif field.maximum is not None and value > field.maximum:
        yield f"{field.label} is {describe_value(value, field)}, above the documented maximum of {field.maximum:g}"


def describe_value(value: float, field: Field) -> str:
    """A value of the matrix as a person says it: '2 years', 'rent', 'missing'."""
    if math.isnan(value):
        return MISSING
    if field.kind == "category":
        return field.levels[int(value)]
    return f"{plain_number(value)} {field.unit}".rstrip()


def plain_number(value: float) -> str:
    """A number without a needless fraction or exponent: 1500, 0.25, 1e+30."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"
