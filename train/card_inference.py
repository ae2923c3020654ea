"""Inference of a first dataset card from a table, to be edited by those who know the data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct, structs
from pandas.api.types import is_float_dtype

from model.vocabulary import is_missing, parse_number
from train.accepted import read_acceptance
from train.card import BadCells, Card, CardDataset, CardField, CardPolicy, check_name
from train.column_roles import Role, find_roles
from train.contract import make_field
from train.dataset import decode_column
from train.errors import TrainingError, shorten
from train.policy import COST_DEFAULT, COST_GOOD
from train.protected import MAX_LEVELS, Category, find_category
from train.table import Table, format_floats
from train.target import find_unlabelled, infer_default
from train.times import read_times
from train.trends import draw_rows, explain_moving, moves_with
from train.validation_options import ROLES

MAX_CODES = 8
"""Distinct whole numbers up to which a protected column of numbers is one of groups, not a quantity."""


class Choices(Struct, frozen=True):
    """What the user says about a table without a card; see `python -m train --help`.

    `validation`: keys of the card's dataset, such as time and weight, with their values.
    """

    target: str
    id: str | None = None
    default: str | None = None
    drop_unlabelled: bool = False
    bad_cells: BadCells = "stop"
    ignored: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    validation: dict[str, Any] = {}


def infer_card(table: Table, choices: Choices) -> Card:
    """A card with the kinds, levels, rounded bounds and missing values found in the table; every column is in it.

    Raises TrainingError if a column is absent, doubled or can't be named, the meaning of the target is ambiguous, or a
    column of numbers holds other texts.
    """
    target, id = choices.target, choices.id
    if table.duplicates:
        raise TrainingError(
            f"{table.path} has several columns {shorten([repr(name) for name in table.duplicates], 5)}; "
            "rename or remove all but one"
        )
    for name in table.names:
        check_name(name)
    for named in sorted(choices.ignored | choices.allowed | choices.segments):
        table.column(named, "named by --ignore, --allow or --segment")
    for role in ("id", *ROLES):
        if (column := id if role == "id" else choices.validation.get(role)) is not None:
            table.column(column, f"the {role}")
    validation = choices.validation
    acceptance = read_acceptance(table, validation.get("accepted"), validation.get("accepted_value"))
    is_accepted = np.ones(len(table.lines), np.bool_) if acceptance is None else acceptance.flag(table)
    if choices.drop_unlabelled:
        is_dropped = find_unlabelled(table, target) & is_accepted
        table, is_accepted = table.drop(is_dropped), is_accepted[~is_dropped]
    if acceptance is not None:
        validation = validation | {"accepted_value": acceptance.value}
    dialect = table.dialect
    dataset = CardDataset(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", table.path.name.split(".")[0]).lstrip("_.-") or "table",
        path=str(table.path.resolve()),
        target=target,
        default=infer_default(table.drop(~is_accepted), target) if choices.default is None else choices.default,
        id=id,
        drop_unlabelled=choices.drop_unlabelled,
        bad_cells=choices.bad_cells,
        separator=dialect.separator if dialect else None,
        decimal=table.decimal if table.decimal in (".", ",") else None,
        encoding=dialect.encoding if dialect and dialect.encoding != "utf-8" else None,
        **validation,
    )
    names = [name for name in table.names if name not in dataset.roles.values()]
    roles = find_roles(table, names, choices.ignored, choices.allowed)
    _check_roles(table, roles, choices)
    fields = {name: _make_field(name, table, roles[name], name in choices.allowed) for name in names}
    for name in _find_moving(table, dataset, fields) - choices.allowed:
        field, note = fields[name], f"{explain_moving(dataset.time)}."
        fields[name] = CardField(field.label, "category", reason=field.reason, use=False, note=note)
    for name in set(names) - choices.allowed:
        if fields[name].use and (category := find_category(name, fields[name].levels)) is not None:
            fields[name] = _protect(name, fields[name], category, table)
    for name in choices.segments & set(fields):
        fields[name] = structs.replace(fields[name], segment=True)
    return Card(dataset, fields, CardPolicy(COST_DEFAULT, COST_GOOD))


def _find_moving(table: Table, dataset: CardDataset, fields: Mapping[str, CardField]) -> set[str]:
    """The columns of numbers that move with the time."""
    if dataset.time is None:
        return set()
    time = read_times(table, dataset.time, dataset.time_format).days
    rows = draw_rows(len(time))
    found = set()
    for name, field in fields.items():
        if field.use and field.kind == "number":
            decoded = decode_column(table.cells[name].iloc[rows], make_field(name, field), table.decimal)
            if moves_with(np.where(np.isin(decoded.values, field.missing), np.nan, decoded.values), time[rows]):
                found.add(name)
    return found


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


def _make_field(name: str, table: Table, role: Role, is_allowed: bool) -> CardField:
    label = re.sub(r"[_\s]+", " ", name).strip() or name
    reason = f"Value of {label}"
    if role.kind == "none":
        known = reason if role.may_be_allowed else ""
        return CardField(label=label, kind="category", reason=known, use=False, note=f"{role.why}.")
    cells = table.cells[name]
    note = role.why[:1].upper() + role.why[1:] + "." * bool(role.why)
    missing = () if is_allowed else role.missing
    if role.missing and is_allowed:
        note = ""
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
    numbers = [number for number in numbers if number not in missing]
    return CardField(
        label=label,
        kind="number",
        minimum=round_out(min(numbers), down=True),
        maximum=round_out(max(numbers), down=False),
        nullable=nullable or bool(missing),
        reason=reason,
        allow=is_allowed,
        note=note,
        missing=missing,
    )


def _protect(name: str, field: CardField, category: Category, table: Table) -> CardField:
    """The field as no input; with its groups, for the report, unless it has too many levels."""
    codes = _find_codes(table, name) if field.kind == "number" and not field.missing else ()
    if codes:
        field = structs.replace(field, kind="category", levels=codes, minimum=None, maximum=None)
    has_groups = len(field.levels) <= MAX_LEVELS
    note = f"{category.title}, which {category.why}{'; the report compares its groups' * has_groups}."
    return structs.replace(field, use=False, levels=field.levels if has_groups else (), note=note)


def _find_codes(table: Table, name: str) -> tuple[str, ...]:
    """The numbers of a column as levels if they are few and whole, such as 1 and 2 for the sexes; else ()."""
    cells = table.cells[name]
    words = format_floats(cells) if is_float_dtype(cells) else cells
    numbers = {number for word in words.unique() if (number := parse_number(word, table.decimal)) is not None}
    if len(numbers) > MAX_CODES or not all(number.is_integer() for number in numbers):
        return ()
    return tuple(f"{number:.0f}" for number in sorted(numbers))


def round_out(value: float, *, down: bool) -> float:
    """A bound rounded outwards to one significant digit, because the artifact must not publish one person's value."""
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return float(f"{(math.floor if down else math.ceil)(value / unit) * unit:.1g}")
