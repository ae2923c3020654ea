"""Applicants with known outcomes, for commands about existing models: of a card, a table or decisions on record."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from train.arguments import add_dialect_options, merge_options, read_dialect_options
from train.card import read_card
from train.recorded import DEFAULT, TARGET, read_recorded
from train.recorded_options import add_record_options, read_selection
from train.table import Table, read_table
from train.target import Labels, encode_target, find_unlabelled, infer_default


def add_outcome_options(parser: argparse.ArgumentParser) -> None:
    """Where applicants and outcomes come from."""
    parser.add_argument("--data", type=Path, metavar="FILE", help="a dataset card, or a table")
    parser.add_argument("--target", metavar="COLUMN", help="with a table: the column of the outcome")
    parser.add_argument("--default", metavar="VALUE", help="with a table: its value that means default")
    add_dialect_options(parser)
    add_record_options(parser)


def check_outcome_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a usage error unless exactly one source is given."""
    if (options.data is None) == (options.decisions is None):
        parser.error("give either --data FILE or --decisions URL")
    if options.data is not None and (options.data.suffix == ".toml") == (options.target is not None):
        parser.error("give --data CARD.toml, or --data FILE.csv with --target COLUMN")


def open_outcomes(
    options: argparse.Namespace, names: Collection[str], made_by: tuple[str, ...] = ()
) -> tuple[Table, Labels]:
    """A table with the fields `names`, and its outcomes, int64, shape (n,), 1 = default; raises TrainingError.

    `made_by`: SHA-256 of the models whose decisions on record are taken; empty for all.
    """
    selection = read_selection(options)
    if selection is not None:
        table = read_recorded(replace(selection, made_by=made_by), names)
        return table, encode_target(table, TARGET, DEFAULT)
    given = read_dialect_options(options)
    if options.data.suffix == ".toml":
        dataset = read_card(options.data).dataset
        dialect = merge_options(given, dataset.dialect)
        table = read_table(options.data.parent / dataset.path, dialect, [dataset.target])
        if dataset.drop_unlabelled:
            table = table.drop(find_unlabelled(table, dataset.target))
        return table, encode_target(table, dataset.target, dataset.default)
    table = read_table(options.data, given, [options.target])
    default = options.default if options.default is not None else infer_default(table, options.target)
    return table, encode_target(table, options.target, default)
