"""What `python -m train evaluate` measures: rows with outcomes that a model wasn't trained on, and its predictions."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from model.contract import Field
from model.formatting import format_count
from model.session import Model
from train.applicants import UNKNOWN, read_applicants
from train.card import Card, CardDataset, read_card
from train.contract import make_field
from train.dataset import Matrix, encode_weight
from train.evaluation_card import make_evaluation_card
from train.outcomes import open_labelled
from train.protected import list_compared
from train.report.out_of_sample import OutOfSample
from train.table import Table
from train.target import encode_target
from train.times import read_times
from train.unseen import unseen_rows
from train.weights import select


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Rows with outcomes and the model's predictions.

    `n_rows`: of the whole table. `has_card`: whether a card was given. `notes`: what to tell people.
    """

    card: Card
    table: Table
    n_rows: int
    sample: OutOfSample
    has_card: bool
    notes: tuple[str, ...]


def open_evaluated(options: argparse.Namespace, model: Model) -> Evaluated:
    """Read the table, and predict the rows that the model wasn't trained on. Raises TrainingError."""
    contract, inputs = model.contract, list(model.contract.fields)
    given = _read_given(options)
    table, known = open_labelled(options, [field.name for field in inputs], card=given, contracts=[contract])
    y = encode_target(table, known.target, known.default)
    rows = unseen_rows(table, y, [model])
    dataset, lost = _find_roles(options, known, table, model)
    dataset = structs.replace(
        dataset,
        name=contract.name,
        source=f"{table.path.name} (SHA-256 {table.sha256}), {format_count(len(rows))} of {format_count(len(y))} rows, "
        "which the model wasn't trained on",
        licence="",
    )
    card = make_evaluation_card(contract, given, dataset, table, options.segment)
    X = read_applicants(table, inputs)[rows]
    columns = {field.name: column for field, column in zip(inputs, X.T, strict=True)}
    others = {name: field for name, field in card.fields.items() if name not in columns}
    absent = [name for name in others if name not in table.cells.columns]
    lost += tuple(f"Without {card.fields[name].label}: {table.path} has no column {name!r}." for name in absent)
    measured = [name for name, one in others.items() if name not in absent and (one.kind == "number" or one.levels)]
    if measured:
        extra = read_applicants(table, [make_field(name, others[name]) for name in measured])[rows]
        columns |= dict(zip(measured, extra.T, strict=True))
    # Without a card its fields with use = false are segments that were named.
    is_protected = list_compared(structs.replace(card, fields=card.inputs))
    is_protected |= set() if given is None else {name for name, field in given.fields.items() if not field.use}
    sample = OutOfSample(
        X,
        y[rows],
        model.score(X).probability,
        np.arange(len(rows)),
        {name: columns[name] for name in card.fields if name in is_protected and name in columns},
        {name: columns[name] for name, field in card.fields.items() if field.segment and name in columns},
        select(None if dataset.weight is None else encode_weight(table, dataset.weight), rows),
        None if dataset.time is None else read_times(table, dataset.time, dataset.time_format).days[rows],
    )
    notes = (*table.notes, *lost, *_describe_unknown(inputs, X))
    return Evaluated(card, table, len(y), sample, given is not None, notes)


def _read_given(options: argparse.Namespace) -> Card | None:
    if options.card is not None:
        return read_card(options.card)
    is_card = options.data is not None and options.data.suffix == ".toml"
    return read_card(options.data) if is_card else None


def _find_roles(
    options: argparse.Namespace, known: CardDataset, table: Table, model: Model
) -> tuple[CardDataset, tuple[str, ...]]:
    """The dataset with the column of times that the table has, and what it lacks as sentences.

    What is named on the command line comes first, then the card's, then the model's own column of times.
    """
    training = model.contract.training
    notes: tuple[str, ...] = ()
    time, time_format = options.time, options.time_format
    if time is None and known.time is not None:
        time, time_format = known.time, time_format or known.time_format
    elif time is None and training.time in table.cells.columns:
        time, time_format = training.time, time_format or training.time_format or None
    if time is not None and time not in table.cells.columns and options.time is None:
        time, notes = None, (f"Without the time: {table.path} has no column {time!r}.",)
    return structs.replace(known, time=time, time_format=time_format, since=None, group=None), notes


def _describe_unknown(fields: Collection[Field], X: Matrix) -> tuple[str, ...]:
    counts = {
        field.label: int((column == UNKNOWN).sum())
        for field, column in zip(fields, X.T, strict=True)
        if field.kind == "category"
    }
    return tuple(
        f"{label}: {count:,} rows have a level that the model doesn't know; it takes them as none of its levels."
        for label, count in counts.items()
        if count
    )
