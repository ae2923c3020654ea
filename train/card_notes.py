"""What people are told of the columns of a table: the state that the card gives them now, and the card's notes.

A note is people's text, or what was found when the card was inferred. So it never says what the card does: that follows
from its keys, which people may have changed since.
"""

from __future__ import annotations

import shlex

from train.card import Card, CardField
from train.table import Table


def list_remarks(card: Card, *, is_inferred: bool = False) -> dict[str, str]:
    """Each input that there is something to say of → what the card does with it, and its note.

    `is_inferred`: the notes are of this very table, and nobody has read them yet.
    """
    told = {name: _describe_input(field, is_inferred) for name, field in card.inputs.items()}
    return {name: text for name, text in told.items() if text}


def _describe_input(field: CardField, is_inferred: bool) -> str:
    note = _read_note(field)
    counted = "counts" if len(field.missing) == 1 else "count"
    codes = f"{', '.join(f'{number:.15g}' for number in field.missing)} {counted} as missing." if field.missing else ""
    quoted = note if is_inferred or not note else f"Note in the card: {note}"
    return f"{codes} {quoted}".strip()


def list_columns(card: Card, table: Table) -> dict[str, str]:
    """Each column of the table that isn't an input of the model → why not; '' stands for columns without a name."""
    known = {
        name: f"Not used: {_read_note(field) or 'use = false in the card.'}"
        for name, field in card.fields.items()
        if not field.use
    }
    unlisted = [name for name in table.names if name not in {*card.fields, *card.names}]
    known |= dict.fromkeys(unlisted, "Not used: the card doesn't list it.")
    if table.nameless:
        number = "a column" if table.nameless == 1 else f"{table.nameless} columns"
        known[""] = f"Not used: {number} without a name."
    return known


def advise(name: str, field: CardField, *, is_inferred: bool) -> str:
    """How people keep what was proposed from happening, as a sentence after a blank; '' if nothing was.

    A field that could be an input has a reason.
    """
    quoted = shlex.quote(name)
    if field.use and field.missing:
        return f" If that is a real value{f': --allow {quoted}' if is_inferred else ', remove it from missing'}."
    if field.use or not field.reason:
        return ""
    if is_inferred:
        return f" --allow {quoted} keeps it as an input."
    if field.kind == "number" or field.levels:
        return " With use = true it is an input."
    return f" To have it as an input, infer the card again with --allow {quoted}."


def _read_note(field: CardField) -> str:
    """The note without the state that cards inferred by older versions have in it."""
    return field.note.removeprefix("Not used: ")
