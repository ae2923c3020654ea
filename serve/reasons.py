"""Reasons for people: the fields that raised an applicant's risk, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from serve.contract import Field
from serve.messages import Reason
from serve.model import Matrix


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


def describe_value(value: float, field: Field) -> str:
    """A value of the matrix as a person says it: '2 years', 'rent', 'missing'."""
    if math.isnan(value):
        return "missing"
    if field.kind == "category":
        return field.levels[int(value)]
    return f"{plain_number(value)} {field.unit}".rstrip()


def plain_number(value: float) -> str:
    """A number without a needless fraction or exponent: 1500, 0.25, 1e+30."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"
