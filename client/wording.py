"""What the service answered, in the language of the reader.

The service words its answers in the language of the card; here they are worded again from the contract and the
applicant's own values, so that a French letter is French. What can't be worded again is shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping

from client.answers import Applicant, Change, Field, Reason, Remark, Value
from client.language import Language


def word_reason(reason: Reason, applicant: Applicant, field: Field, language: Language) -> str:
    """The text of a reason: 'Short time in the current job', or that the value is not known."""
    if applicant[field.name] is None:
        return language.say("reason.missing", label=language.word(field.label))
    return language.word(reason.text)


def word_remark(remark: Remark, applicant: Applicant, fields: Mapping[str, Field], language: Language) -> str:
    """A warning: a gap, a value below or above its documented bounds."""
    field = fields.get(remark.field)
    if field is None:
        return remark.detail
    label, value = language.word(field.label), applicant[field.name]
    if value is None:
        return language.say("warning.missing", label=label)
    if isinstance(value, float | int):
        if field.minimum is not None and value < field.minimum:
            bound = language.value(field.minimum, field)
            return language.say("warning.below", label=label, value=language.value(value, field), bound=bound)
        if field.maximum is not None and value > field.maximum:
            bound = language.value(field.maximum, field)
            return language.say("warning.above", label=label, value=language.value(value, field), bound=bound)
    return remark.detail


def read_change(change: Change, field: Field) -> Value:
    """The value that a change proposes: the level, or the number in front of the unit."""
    if field.kind == "category":
        return change.to
    try:
        return float(change.to.removesuffix(field.unit).strip())
    except ValueError:
        return change.to


def word_change(change: Change, applicant: Applicant, field: Field, language: Language) -> str:
    """A change in words: 'Amount of the loan: 1,070 EUR instead of 1,300 EUR'."""
    return language.say(
        "change.line",
        label=language.word(field.label),
        to=language.value(read_change(change, field), field),
        value=language.value(applicant[field.name], field),
    )
