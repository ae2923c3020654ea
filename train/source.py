"""What `python -m train` trains on: a card and its table, read or inferred, or taken from decisions on record."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from model.dialect import DialectOptions
from train.accepted import read_acceptance
from train.arguments import read_dialect_options
from train.card import UNRECORDED, Card, CardField, check_card, read_card
from train.card_inference import Choices, infer_card
from train.durations import add_durations
from train.errors import TrainingError, shorten
from train.files import inferred_path
from train.folds import make_forward_folds
from train.holdout import split_rows
from train.recorded import ID, TIME, read_recorded
from train.recorded_options import Selection, read_selection
from train.table import Table, read_table
from train.target import encode_target, find_unlabelled
from train.times import read_times
from train.validation_options import ROLES, read_validation_options


@dataclass(frozen=True, slots=True)
class Source:
    """What to train on: a card, the table it describes, and the card's file, None if the card was inferred.

    `rejected`: the applicants of the same file who weren't accepted, without usable outcomes; None if there are none.
    """

    card: Card
    table: Table
    card_path: Path | None
    rejected: Table | None = None


def open_source(options: argparse.Namespace) -> Source:
    """The card and its table: read, or inferred from the table; options override the card."""
    given = read_dialect_options(options)
    if options.card is None:
        validation = read_validation_options(options)
        names = [options.target, options.id, *(validation.get(role) for role in ROLES)]
        table = read_table(options.data, given, [name for name in names if name is not None])
        choices = Choices(
            options.target,
            options.id,
            options.default,
            options.drop_unlabelled,
            options.bad_cells or "stop",
            frozenset(options.ignore),
            frozenset(options.allow),
            frozenset(options.segment),
            validation,
        )
        card = infer_card(table, choices)
        check_card(card)
        inferred_path(options.out, card)
    else:
        card = override_card(read_card(options.card), options, given)
        selection = read_selection(options)
        if selection is not None:
            card, table = read_recorded_card(selection, card, options.since)
        else:
            table = read_table(options.card.parent / card.dataset.path, card.dataset.dialect, card.names)
    if card.policy.prior is not None:
        raise TrainingError(
            f"the card has prior = {card.policy.prior:g}, which corrects the class weights of an imported model; "
            "a model that is trained here has none: remove it"
        )
    rejected, acceptance = None, read_acceptance(table, card.dataset.accepted, card.dataset.accepted_value)
    if acceptance is not None:
        card = structs.replace(card, dataset=structs.replace(card.dataset, accepted_value=acceptance.value))
        rejected = table.drop(acceptance.flag(table))
        table = acceptance.keep(table, card.dataset.target)
        rejected = add_durations(rejected, card) if len(rejected.lines) else None
    if card.dataset.drop_unlabelled:
        table = table.drop(find_unlabelled(table, card.dataset.target))
    return Source(card, add_durations(table, card), options.card, rejected)


def override_card(card: Card, options: argparse.Namespace, given: DialectOptions) -> Card:
    """The card with what the command line says instead; raises TrainingError for a field that it doesn't have."""
    changes = {name: value for name, value in structs.asdict(given).items() if value is not None}
    if options.drop_unlabelled:
        changes["drop_unlabelled"] = True
    if options.bad_cells is not None:
        changes["bad_cells"] = options.bad_cells
    validation = read_validation_options(options)
    if "holdout" in validation:
        validation.setdefault("since", None)  # A share of the rows instead of the card's day.
    if "accepted" in validation:
        validation.setdefault("accepted_value", None)  # The card's is of another column.
    if options.decisions is not None:
        validation.pop("since", None)  # It is of the times of the decisions, not of the card's.
    named = [validation[role] for role in ROLES if role in validation]
    fields = {name: field for name, field in card.fields.items() if name not in named}
    for name in (*options.ignore, *options.allow, *options.segment):
        if name not in fields:
            raise TrainingError(f"the card has no field {name!r}; its fields are: {shorten(list(fields), 12)}")
    for name in options.allow:
        if not fields[name].use:
            raise TrainingError(f"--allow {name}: the field has use = false in the card, which decides; set use = true")
        fields[name] = structs.replace(fields[name], allow=True)
    for name in options.segment:
        fields[name] = structs.replace(fields[name], segment=True)
    for name in options.ignore:
        # Not with use = false alone: that is a protected field, which the report compares groups by.
        fields[name] = CardField(fields[name].label, "category", use=False, note="left out with --ignore.")
    changed = structs.replace(card, dataset=structs.replace(card.dataset, **changes, **validation), fields=fields)
    check_card(changed)
    return changed


def read_recorded_card(selection: Selection, card: Card, since: str | None = None) -> tuple[Card, Table]:
    """A card's table taken from the record, with the decision's id as its id, and the card of that table.

    The newest decisions are the hold-out, from `since` on if it is given. Protected fields aren't recorded: they stay
    in the card, without values. Neither are the card's weight, group and own time: it loses them, and it is told.
    """
    old = card.dataset
    table = read_recorded(selection, list(card.inputs), old.target, old.default)
    cells = table.cells if old.id is None else table.cells.rename(columns={ID: old.id})
    first, last = cells[TIME].iloc[0][:10], cells[TIME].iloc[-1][:10]
    fields = {
        # A duration is recorded as its number of days.
        name: structs.replace(field, start=None, end=None, unit=field.unit or ("days" if field.start else ""))
        if field.use
        else CardField(field.label, "category", use=False, note=UNRECORDED)
        for name, field in card.fields.items()
    }
    lost = {role: name for role in ROLES if (name := old.roles.get(role)) is not None and name != TIME}
    notes = [f"Without the card's {role} {name!r}: decisions are recorded without it." for role, name in lost.items()]
    fault = "" if since is not None else _describe_shortness(table, card)
    if fault:
        notes.append(f"Not validated over time: {fault}")
    dataset = structs.replace(
        old,
        source=f"{len(cells):,} decisions on record with outcomes, made {first} to {last}; accepted applicants only",
        licence="",
        time=None if fault else TIME,
        time_format=None,
        since=since,
        weight=None,
        group=None,
        accepted=None,
        accepted_value=None,
    )
    table = replace(table, cells=cells, notes=(*table.notes, *notes))
    return structs.replace(card, dataset=dataset, fields=fields), table


def _describe_shortness(table: Table, card: Card) -> str:
    """Why the times of the decisions are too few for a hold-out of the newest and folds of the others; '' if not."""
    y = encode_target(table, card.dataset.target, card.dataset.default)
    time = read_times(table, TIME).days
    try:
        training = split_rows(y, 0, time=time, share=card.dataset.holdout).training_rows
        make_forward_folds(time[training], y[training])
    except TrainingError as error:
        return str(error)
    return ""
