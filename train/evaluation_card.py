"""The card of an evaluation: what is known of the model's fields, and of the columns that its figures are split by.

Inputs are as the model's contract has them; a given card adds labels, directions of risk, protected fields and
segments.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import structs

from model.contract import Contract, Field
from train.card import Card, CardDataset, CardField
from train.column_roles import find_roles
from train.errors import TrainingError
from train.table import Table


def make_evaluation_card(
    contract: Contract, given: Card | None, dataset: CardDataset, table: Table, segments: Collection[str]
) -> Card:
    """The card; `given`: None if there is none, `segments`: columns named by --segment; raises TrainingError."""
    known = {} if given is None else given.fields
    fields = {field.name: _make_input(field, known.get(field.name)) for field in contract.fields}
    for name, field in known.items():
        if name not in fields and (not field.use or field.segment):
            fields[name] = structs.replace(field, use=False)
    for name in segments:
        fields[name] = structs.replace(fields.get(name) or _infer(table, name), segment=True)
    return Card(dataset=dataset, fields=fields)


def _make_input(field: Field, known: CardField | None) -> CardField:
    """A field of the contract, with what only a card says of it."""
    own = CardField(
        label=field.label,
        kind=field.kind,
        unit=field.unit,
        levels=field.levels,
        minimum=field.minimum,
        maximum=field.maximum,
        nullable=field.nullable,
        reason=field.reason,
        changeable=field.changeable,
        missing=field.missing,
    )
    if known is None:
        return own
    return structs.replace(own, label=known.label, risk=known.risk, note=known.note, segment=known.segment)


def _infer(table: Table, name: str) -> CardField:
    """A column that is no input: a number or a category, as for a card that is inferred."""
    table.column(name, "named by --segment")
    role = find_roles(table, [name], ())[name]
    if role.kind == "none":
        raise TrainingError(
            f"--segment {name}: the column of {table.path} is no segment, because it is {role.why}; name a category, "
            "or a number of which there are ranges"
        )
    return CardField(name, role.kind, levels=role.levels, use=False, missing=role.missing)
