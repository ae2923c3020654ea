"""Inference of a first dataset card from a table, to be edited by those who know the data."""

from __future__ import annotations

import math
import re

import numpy as np
from msgspec import Struct
from pandas.api.types import is_float_dtype

from model.vocabulary import is_missing, parse_number
from train.card import BadCells, Card, CardDataset, CardField, CardPolicy, check_name
from train.column_roles import Role, find_roles
from train.errors import TrainingError, shorten
from train.policy import COST_DEFAULT, COST_GOOD
from train.table import Table
from train.target import find_unlabelled, infer_default


class Choices(Struct, frozen=True):
    """What the user says about a table without a card; see `python -m train --help`."""

    target: str
    id: str | None = None
    default: str | None = None
    drop_unlabelled: bool = False
    bad_cells: BadCells = "stop"
    ignored: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


def infer_card(table: Table, choices: Choices) -> Card:
    """A card with the kinds, levels, rounded bounds and missing values found in the table; every column is in it.

    Raises TrainingError if a column is absent, doubled or can't be named, the meaning of the target is ambiguous, or a
    column of numbers holds other texts or a code for a missing value.
    """
    target, id = choices.target, choices.id
    if table.duplicates:
        raise TrainingError(
            f"{table.path} has several columns {shorten([repr(name) for name in table.duplicates], 5)}; "
            "rename or remove all but one"
        )
    for name in table.names:
        check_name(name)
    for named in sorted(choices.ignored | choices.allowed):
        table.column(named, "named by --ignore or --allow")
    if id is not None:
        table.column(id, "the id")
    if choices.drop_unlabelled:
        table = table.drop(find_unlabelled(table, target))
    dialect = table.dialect
    dataset = CardDataset(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", table.path.name.split(".")[0]).lstrip("_.-") or "table",
        path=str(table.path.resolve()),
        target=target,
        default=choices.default if choices.default is not None else infer_default(table, target),
        id=id,
        drop_unlabelled=choices.drop_unlabelled,
        bad_cells=choices.bad_cells,
        separator=dialect.separator if dialect else None,
        decimal=table.decimal if table.decimal in (".", ",") else None,
        encoding=dialect.encoding if dialect and dialect.encoding != "utf-8" else None,
    )
    names = [name for name in table.names if name not in (target, id)]
    roles = find_roles(table, names, choices.ignored)
    _check_roles(table, roles, choices)
    fields = {name: _make_field(name, table, roles[name], name in choices.allowed) for name in names}
    return Card(dataset, fields, CardPolicy(COST_DEFAULT, COST_GOOD))


def _check_roles(table: Table, roles: dict[str, Role], choices: Choices) -> None:
    """Raise TrainingError for cells that nobody can read for the user."""
    if choices.bad_cells == "stop" and (faulty := {name: role for name, role in roles.items() if role.bad}):
        told = []
        for name, role in list(faulty.items())[:3]:
            row, what = role.bad[0]
            number = len(role.bad)
            cells = (
                f"{number:,} cells that aren't numbers, first in" if number > 1 else "1 cell that isn't a number, in"
            )
            told.append(f"column {name!r} has {cells} {table.line(row)}: {what}")
        more = f"; and {len(faulty) - 3} more columns" if len(faulty) > 3 else ""
        raise TrainingError(
            f"{table.path}: {'; '.join(told)}{more}. Correct the cells, read them as missing with --bad-cells missing, "
            "or leave the column out with --ignore COLUMN"
        )
    for name, role in roles.items():
        if role.sentinel and name not in choices.allowed:
            raise TrainingError(
                f"{table.path}: column {name!r} has the value {role.sentinel}: most likely a code for a missing value. "
                "Empty these cells, here and wherever applicants are scored; or if it is a real value: --allow COLUMN"
            )


def _make_field(name: str, table: Table, role: Role, is_allowed: bool) -> CardField:
    label = re.sub(r"[_\s]+", " ", name).strip() or name
    if role.kind == "none":
        return CardField(label=label, kind="category", use=False, note=f"Not used: {role.why}.")
    cells = table.cells[name]
    reason, note = f"Value of {label}", role.why[:1].upper() + role.why[1:] + "." * bool(role.why)
    words = [] if is_float_dtype(cells) else list(cells.unique())
    if role.kind == "category":
        texts = [str(word) for word in words] if words else []
        nullable = any(is_missing(word) and word not in role.levels for word in texts)
        return CardField(
            label=label,
            kind="category",
            levels=role.levels,
            nullable=nullable,
            reason=reason,
            allow=is_allowed,
            note=note,
        )
    if is_float_dtype(cells):
        numbers = cells.dropna().to_numpy(np.float64).tolist()
        nullable = bool(cells.isna().any())
    else:
        numbers = [number for word in words if (number := parse_number(word, table.decimal)) is not None]
        nullable = len(numbers) < len(words)
    return CardField(
        label=label,
        kind="number",
        minimum=round_out(min(numbers), down=True),
        maximum=round_out(max(numbers), down=False),
        nullable=nullable,
        reason=reason,
        allow=is_allowed,
        note=note,
    )


def list_columns(card: Card, table: Table) -> dict[str, str]:
    """Each column of the table that isn't an input of the model → why not; '' stands for columns without a name."""
    left_out = {name: field.note for name, field in card.fields.items() if not field.use}
    unlisted = [name for name in table.names if name not in {*card.fields, card.dataset.target, card.dataset.id}]
    known = {name: note or "Not used: use = false in the card." for name, note in left_out.items()}
    known |= dict.fromkeys(unlisted, "Not used: the card doesn't list it.")
    if table.nameless:
        number = "a column" if table.nameless == 1 else f"{table.nameless} columns"
        known[""] = f"Not used: {number} without a name."
    return known


def round_out(value: float, *, down: bool) -> float:
    """A bound rounded outwards to one significant digit, because the artifact must not publish one person's value."""
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return float(f"{(math.floor if down else math.ceil)(value / unit) * unit:.1g}")
