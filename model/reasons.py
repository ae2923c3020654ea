"""Words about one applicant: the reasons of a decision, warnings about its values, and the values themselves."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from model.contract import Field
from model.session import Matrix

MISSING = "missing"
"""Text of a missing value."""


class FieldWarning(Struct, frozen=True):
    """A warning about one value of an applicant: it is missing, or outside its documented bounds."""

    field: str
    detail: str


class Reason(Struct, frozen=True, omit_defaults=True):
    """A field that raised the risk: its value in words, its contribution (in the unit of the contract's
    attribution), and the reason text.

    Of a rule that decided, `rule` and `label` are its name, `field` is the first of its fields, `value` all of them
    with their values, and the contribution is 0.
    """

    field: str
    label: str
    value: str
    contribution: float
    text: str
    rule: str | None = None


def name_reasons(row: Matrix, contributions: Matrix, fields: Sequence[Field], max_reasons: int) -> list[Reason]:
    """At most `max_reasons` reasons, largest contribution first; only fields that raised the risk.

    row and contributions: float64, shape (n_fields,).
    """
    reasons = []
    for column in (-contributions).argsort(kind="stable")[:max_reasons].tolist():
        value, contribution, field = row.item(column), contributions.item(column), fields[column]
        if contribution > 0:
            text = describe_missing(field) if is_missing(value, field) else field.reason
            reasons.append(Reason(field.name, field.label, describe_value(value, field), contribution, text))
    return reasons


def find_warnings(row: Matrix, fields: Sequence[Field]) -> list[FieldWarning]:
    """Missing values and values outside their documented bounds; row: float64, shape (n_fields,)."""
    warnings = []
    for value, field in zip(row.tolist(), fields, strict=True):
        if value != value or value in field.missing:  # NaN; a call of a function takes twice the time
            warnings.append(FieldWarning(field.name, describe_missing(field)))
        elif (bound := field.minimum) is not None and value < bound:
            text = f"{field.label} is {describe_value(value, field)}, below the documented minimum of {bound:g}"
            warnings.append(FieldWarning(field.name, text))
        elif (bound := field.maximum) is not None and value > bound:
            text = f"{field.label} is {describe_value(value, field)}, above the documented maximum of {bound:g}"
            warnings.append(FieldWarning(field.name, text))
    return warnings


def is_missing(value: float, field: Field) -> bool:
    """Whether a value of the graph's input is missing: NaN, or a number that stands for that."""
    return value != value or value in field.missing


def describe_missing(field: Field) -> str:
    """The reason text and the warning of a field whose value is missing: 'Income: missing'."""
    return f"{field.label}: {MISSING}"


def describe_value(value: float, field: Field) -> str:
    """A value of the matrix in words: '2 years', 'rent', 'missing'."""
    if is_missing(value, field):
        return MISSING
    if field.kind == "category":
        return field.levels[int(value)]
    return f"{plain_number(value)} {field.unit}".rstrip()


def plain_number(value: float) -> str:
    """A number without a needless fraction or exponent: 1500, 0.25, 1e+30."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"
