"""Applicants with known outcomes, for commands about existing models: of a card, a table or decisions on record."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from model.contract import Contract
from train.accepted import find_acceptance, read_acceptance
from train.arguments import add_dialect_options, merge_options, read_dialect_options
from train.card import Card, CardDataset, read_card
from train.dataset import Matrix, encode_weight
from train.durations import add_durations
from train.recorded import DEFAULT, TARGET, TIME, read_recorded
from train.recorded_options import add_record_options, read_selection
from train.table import Table, read_table
from train.target import Labels, encode_target, find_unlabelled, infer_default


def add_outcome_options(parser: argparse.ArgumentParser) -> None:
    """Where applicants and outcomes come from."""
    parser.add_argument("--data", type=Path, metavar="FILE", help="a dataset card, or a table")
    parser.add_argument("--target", metavar="COLUMN", help="with a table: the column of the outcome")
    parser.add_argument("--default", metavar="VALUE", help="with a table: its value that means default")
    parser.add_argument("--weight", metavar="COLUMN", help="how many applicants each row stands for")
    parser.add_argument(
        "--accepted",
        metavar="COLUMN",
        help="of a table with rejected applicants too: who was accepted; only they count",
    )
    parser.add_argument("--accepted-value", metavar="VALUE", help="with --accepted: its value that means accepted")
    add_dialect_options(parser)
    add_record_options(parser)


def check_outcome_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error unless exactly one source is given."""
    if (options.data is None) == (options.decisions is None):
        parser.error("give either --data FILE or --decisions URL")
    if options.data is not None and (options.data.suffix == ".toml") == (options.target is not None):
        parser.error("give --data CARD.toml, or --data FILE.csv with --target COLUMN")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Applicants with known outcomes: y int64, shape (n,), 1 = default.

    `weight`: applicants that each row stands for, float64, shape (n,), with mean 1; None if all stand for one.
    """

    table: Table
    y: Labels
    weight: Matrix | None


def open_outcomes(
    options: argparse.Namespace,
    names: Collection[str],
    made_by: tuple[str, ...] = (),
    contracts: Sequence[Contract] = (),
) -> Outcomes:
    """Read a table with the fields `names`, its outcomes and weights; raises TrainingError.

    `made_by`: SHA-256 of the models whose decisions on record are taken; empty for all. `contracts`: of models that may
    know which column says who was accepted; rows of others are left out.
    """
    table, dataset = open_labelled(options, names, made_by, contracts=contracts)
    y = encode_target(table, dataset.target, dataset.default)
    return Outcomes(table, y, None if dataset.weight is None else encode_weight(table, dataset.weight))


def open_labelled(
    options: argparse.Namespace,
    names: Collection[str],
    made_by: tuple[str, ...] = (),
    card: Card | None = None,
    contracts: Sequence[Contract] = (),
) -> tuple[Table, CardDataset]:
    """A table as `open_outcomes` reads it, and what is known of it: target and default at least.

    `card`: says it of the table --data, which is then not the card's own. A weight that only the card names and the
    table lacks is left out, and told in the table's notes.
    """
    table, dataset = _read_labelled(options, names, made_by, card, contracts)
    weight = options.weight or dataset.weight
    if weight is None:
        return table, dataset
    note = f"Weighted by {weight!r}."
    if options.weight is None and weight not in table.names:
        weight, note = None, f"Without the weight: {table.path} has no column {weight!r}."
    return replace(table, notes=(*table.notes, note)), structs.replace(dataset, weight=weight)


def _read_labelled(
    options: argparse.Namespace,
    names: Collection[str],
    made_by: tuple[str, ...],
    card: Card | None,
    contracts: Sequence[Contract],
) -> tuple[Table, CardDataset]:
    selection = read_selection(options)
    if selection is not None:
        table = read_recorded(replace(selection, made_by=made_by), names)
        return table, CardDataset("decisions", str(table.path), TARGET, DEFAULT, time=TIME)
    given, path = read_dialect_options(options), options.data
    if path.suffix == ".toml":
        card = read_card(path)
        path = path.parent / card.dataset.path
    if card is not None:
        dataset = card.dataset
        table = read_table(path, merge_options(given, dataset.dialect), [dataset.target])
        table = _keep_accepted(table, options, contracts, dataset)
        if dataset.drop_unlabelled:
            table = table.drop(find_unlabelled(table, dataset.target))
        return add_durations(table, card, may_exist=True), dataset
    table = _keep_accepted(read_table(path, given, [options.target]), options, contracts)
    default = options.default if options.default is not None else infer_default(table, options.target)
    return table, CardDataset(path.stem, path.name, options.target, default)


def _keep_accepted(
    table: Table, options: argparse.Namespace, contracts: Sequence[Contract], dataset: CardDataset | None = None
) -> Table:
    """The applicants who were accepted, if the options, the card or the models say which column tells."""
    acceptance = read_acceptance(table, options.accepted, options.accepted_value)
    if acceptance is None and dataset is not None and dataset.accepted in table.names:
        acceptance = read_acceptance(table, dataset.accepted, dataset.accepted_value)
    acceptance = acceptance or find_acceptance(table, contracts)
    if acceptance is None:
        return table
    return acceptance.keep(table, options.target if dataset is None else dataset.target)
