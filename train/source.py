"""What `python -m train` trains on: a card and its table, read or inferred, or taken from decisions on record."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from model.dialect import DialectOptions
from train.arguments import read_dialect_options
from train.card import UNRECORDED, Card, CardField, check_card, read_card
from train.card_inference import Choices, infer_card
from train.errors import TrainingError, shorten
from train.files import inferred_path
from train.recorded import ID, TIME, read_recorded
from train.recorded_options import Selection, read_selection
from train.table import Table, read_table
from train.target import find_unlabelled


@dataclass(frozen=True, slots=True)
class Source:
    """What to train on: a card, the table it describes, and the card's file, None if the card was inferred."""

    card: Card
    table: Table
    card_path: Path | None


def open_source(options: argparse.Namespace) -> Source:
    """The card and its table: read, or inferred from the table; options override the card."""
    given = read_dialect_options(options)
    if options.card is None:
        names = [name for name in (options.target, options.id) if name is not None]
        table = read_table(options.data, given, names)
        choices = Choices(
            options.target,
            options.id,
            options.default,
            options.drop_unlabelled,
            options.bad_cells or "stop",
            frozenset(options.ignore),
            frozenset(options.allow),
        )
        card = infer_card(table, choices)
        check_card(card)
        inferred_path(options.out, card)
    else:
        card = override_card(read_card(options.card), options, given)
        selection = read_selection(options)
        if selection is not None:
            card, table = read_recorded_card(selection, card)
        else:
            table = read_table(options.card.parent / card.dataset.path, card.dataset.dialect, card.names)
    if card.policy.prior is not None:
        raise TrainingError(
            f"the card has prior = {card.policy.prior:g}, which corrects the class weights of an imported model; "
            "a model that is trained here has none: remove it"
        )
    if card.dataset.drop_unlabelled:
        table = table.drop(find_unlabelled(table, card.dataset.target))
    return Source(card, table, options.card)


def override_card(card: Card, options: argparse.Namespace, given: DialectOptions) -> Card:
    """The card with what the command line says instead; raises TrainingError for a field that it doesn't have."""
    changes = {name: value for name, value in structs.asdict(given).items() if value is not None}
    if options.drop_unlabelled:
        changes["drop_unlabelled"] = True
    if options.bad_cells is not None:
        changes["bad_cells"] = options.bad_cells
    fields = dict(card.fields)
    for name in (*options.ignore, *options.allow):
        if name not in fields:
            raise TrainingError(f"the card has no field {name!r}; its fields are: {shorten(list(fields), 12)}")
    for name in options.allow:
        fields[name] = structs.replace(fields[name], allow=True)
    for name in options.ignore:
        # Not with use = false alone: that is a protected field, which the report compares groups by.
        fields[name] = CardField(fields[name].label, "category", use=False, note="Not used: left out with --ignore.")
    changed = structs.replace(card, dataset=structs.replace(card.dataset, **changes), fields=fields)
    check_card(changed)
    return changed


def read_recorded_card(selection: Selection, card: Card) -> tuple[Card, Table]:
    """A card's table taken from the record, with the decision's id as its id, and the card of that table.

    Protected fields aren't recorded: they stay in the card, without values.
    """
    table = read_recorded(selection, list(card.inputs), card.dataset.target, card.dataset.default)
    cells = table.cells if card.dataset.id is None else table.cells.rename(columns={ID: card.dataset.id})
    first, last = cells[TIME].iloc[0][:10], cells[TIME].iloc[-1][:10]
    fields = {
        name: field if field.use else CardField(field.label, "category", use=False, note=UNRECORDED)
        for name, field in card.fields.items()
    }
    source = f"{len(cells):,} decisions on record with outcomes, made {first} to {last}; accepted applicants only"
    dataset = structs.replace(card.dataset, source=source, licence="")
    return structs.replace(card, dataset=dataset, fields=fields), replace(table, cells=cells)
