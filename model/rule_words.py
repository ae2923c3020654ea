"""A rule in words, by the labels and units of the model's fields: its condition, and an applicant's values of it."""

from __future__ import annotations

from collections.abc import Sequence

from model.contract import Field
from model.inputs import Matrix
from model.reasons import Reason, describe_value, plain_number
from model.rules import Comparison, Condition, IsMissing, IsOneOf, Joined, Rule, find_inputs

COMPARISONS: dict[Comparison, str] = {
    "below": "below",
    "at_most": "at most",
    "above": "above",
    "at_least": "at least",
}


def describe_condition(condition: Condition, fields: Sequence[Field]) -> str:
    """'Amount above 15 × Income or (Home is rent and Amount above 2000 EUR)'; `fields`: the model's, in order."""
    if isinstance(condition, Joined):
        parts = [
            f"({text})" if isinstance(part, Joined) else text
            for part in condition.parts
            for text in [describe_condition(part, fields)]
        ]
        return (" and " if condition.join == "all" else " or ").join(parts)
    field = fields[condition.input.column]
    if isinstance(condition, IsMissing):
        return f"{field.label} is missing"
    if isinstance(condition, IsOneOf):
        values = [field.levels[int(value)] if field.levels else _describe_number(value) for value in condition.values]
        if len(values) == 1:
            return f"{field.label} is {'not ' if condition.negated else ''}{values[0]}"
        return f"{field.label} is {'none' if condition.negated else 'one'} of {', '.join(values)}"
    limit = _describe_number(condition.value)
    if condition.times is None:
        limit = f"{limit} {field.unit}".rstrip()
    else:
        other = fields[condition.times.column].label
        limit = other if condition.value == 1 else f"{limit} × {other}"
    return f"{field.label} {COMPARISONS[condition.comparison]} {limit}"


def describe_inputs(rule: Rule, row: Matrix, fields: Sequence[Field]) -> str:
    """'Amount 2500 EUR, Income 120 EUR': an applicant's values that the rule reads; row: float64, shape (n_fields,)."""
    return ", ".join(
        f"{fields[one.column].label} {describe_value(row.item(one.column), fields[one.column])}"
        for one in find_inputs(rule.when)
    )


def name_rules(row: Matrix, rules: Sequence[Rule], fields: Sequence[Field]) -> list[Reason]:
    """The reasons of rules that decided, in their order; row: float64, shape (n_fields,)."""
    return [
        Reason(
            field=find_inputs(rule.when)[0].field,
            label=rule.name,
            value=describe_inputs(rule, row, fields),
            contribution=0.0,
            text=rule.reason,
            rule=rule.name,
        )
        for rule in rules
    ]


def _describe_number(value: float) -> str:
    """As in describe_value, with all digits where those don't make the same number."""
    text = plain_number(value)
    return text if float(text) == value else repr(value)
