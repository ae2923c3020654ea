"""Reasons, warnings and changes of the service in the reader's language.

The service writes them in the language of the dataset card. This module writes them again from the contract and the
applicant's own values, so that a French letter is French; what it does not recognise is shown as the service sent it.
"""

from __future__ import annotations

from collections.abc import Mapping

from client.language import Language
from client.responses import Applicant, Change, Field, FieldWarning, Model, Reason, Value


def localize_reason(reason: Reason, applicant: Applicant, field: Field, language: Language) -> str:
    """The text of a reason: 'Short time in the current job', or that the value is not known; of a rule its own."""
    if reason.rule is None and field.is_missing(applicant[field.name]):
        return language.text("reason.missing", label=language.translate(field.label))
    return language.translate(reason.text)


def describe_reason(reason: Reason, applicant: Applicant, model: Model, language: Language) -> str:
    """A reason with the values that it is about: 'Large amount (Amount: 1,300 EUR)', of a rule with all it reads."""
    fields = {field.name: field for field in model.fields}
    rules = {rule.name: rule for rule in model.policy.rules}
    names = rules[reason.rule].fields if reason.rule in rules else [reason.field]
    values = [
        language.text(
            "reason.value",
            label=language.translate(fields[name].label),
            value=language.value(applicant[name], fields[name]),
        )
        for name in names
    ]
    text = localize_reason(reason, applicant, fields[reason.field], language)
    return language.text("letter.reason", text=text, values=language.text("list.join").join(values))


def localize_warning(
    warning: FieldWarning, applicant: Applicant, fields: Mapping[str, Field], language: Language
) -> str:
    """The text of a warning: a missing value, or one outside its documented bounds."""
    field = fields.get(warning.field)
    if field is None:
        return warning.detail
    label, value = language.translate(field.label), applicant[field.name]
    if field.is_missing(value):
        return language.text("warning.missing", label=label)
    if isinstance(value, float | int):
        if field.minimum is not None and value < field.minimum:
            bound = language.value(field.minimum, field)
            return language.text("warning.below", label=label, value=language.value(value, field), bound=bound)
        if field.maximum is not None and value > field.maximum:
            bound = language.value(field.maximum, field)
            return language.text("warning.above", label=label, value=language.value(value, field), bound=bound)
    return warning.detail


def localize_change(change: Change, applicant: Applicant, field: Field, language: Language) -> str:
    """The text of a change: 'Amount of the loan: 1,070 EUR instead of 1,300 EUR'."""
    return language.text(
        "change.line",
        label=language.translate(field.label),
        to=language.value(parse_new_value(change, field), field),
        value=language.value(applicant[field.name], field),
    )


def parse_new_value(change: Change, field: Field) -> Value:
    """The new value of a change: the level, or the number without its unit."""
    if field.kind == "category":
        return change.to
    try:
        return float(change.to.removesuffix(field.unit).strip())
    except ValueError:
        return change.to
