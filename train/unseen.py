"""Rows of a table that models weren't trained on, for commands that measure existing models.

A model file names its table by SHA-256, and how the hold-out was chosen; the split is made again from that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.contract import Contract, Training
from model.session import Model
from train.accepted import Acceptance
from train.dataset import encode_group
from train.errors import TrainingError
from train.holdout import split_rows
from train.recorded import NAME
from train.table import Table
from train.target import MIN_CLASS_ROWS, Labels, encode_target, find_unlabelled
from train.time_formats import parse_since
from train.times import read_times

Rows = npt.NDArray[np.int64]


def unseen_rows(table: Table, y: Labels, models: Sequence[Model]) -> Rows:
    """Row numbers, int64, without those that a model whose contract says that it was trained on this table has seen.

    Raises TrainingError if too few are left, or if they can't be told.
    """
    rows = np.arange(len(y))
    for model in models:
        if model.contract.training.data_sha256 == table.sha256:
            rows = np.intersect1d(rows, _find_holdout(table, y, model.contract))
    if min(int(y[rows].sum()), len(rows) - int(y[rows].sum())) < MIN_CLASS_ROWS:
        one, advice = "neither model was", ", or train both models with the same --seed"
        if len(models) == 1:
            one, advice = "the model wasn't", ""
        raise TrainingError(
            f"{len(rows)} rows of {table.path} are left that {one} trained on, {y[rows].sum()} of them defaults; "
            f"expected at least {MIN_CLASS_ROWS} defaults and {MIN_CLASS_ROWS} goods: use newer applications{advice}"
        )
    return rows


def _find_holdout(table: Table, y: Labels, contract: Contract) -> Rows:
    """The rows that were held out from the training of a model; raises TrainingError unless it can be told."""
    try:
        return _split_again(table, y, contract.training)
    except TrainingError as error:
        raise TrainingError(
            f"{contract.name} {contract.version} was trained on {table.path}, and on which of its rows can't be told: "
            f"{error}; read the table as for its training (--data CARD.toml, or the same --target, --default and "
            "--separator), or give newer applications"
        ) from error


def _split_again(table: Table, y: Labels, training: Training) -> Rows:
    """The held-out rows; raises TrainingError if a column can't be read, or other numbers of rows were split."""
    labelled, outcomes = _read_trained(table, y, training)
    partition = split_rows(
        outcomes,
        training.seed,
        time=read_times(labelled, training.time, training.time_format or None).days if training.time else None,
        group=encode_group(labelled, training.group) if training.group else None,
        share=training.holdout_share,
        since=parse_since(training.since) if training.since else None,
    )
    found = len(partition.training_rows), len(partition.holdout_rows)
    if found != (training.rows, training.holdout_rows):
        raise TrainingError(
            f"now {found[0]:,} rows would be trained on and {found[1]:,} held out, expected {training.rows:,} and "
            f"{training.holdout_rows:,}"
        )
    return np.flatnonzero(np.isin(table.lines, labelled.lines[partition.holdout_rows]))


def _read_trained(table: Table, y: Labels, training: Training) -> tuple[Table, Labels]:
    """The rows of the table that had outcomes at training, and these outcomes, whatever the target is now.

    Older files don't say their target: it is taken to be that of now. Decisions on record have one outcome only, under
    any name.
    """
    if not training.target or table.path == NAME:
        return table, y
    whole = table.whole or table
    if training.accepted in whole.names:
        whole = whole.drop(~Acceptance(training.accepted, training.accepted_value).flag(whole))
    labelled = whole.drop(find_unlabelled(whole, training.target))
    return labelled, encode_target(labelled, training.target, training.default)
