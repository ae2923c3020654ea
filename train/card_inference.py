"""Inference of a first dataset card from a table, to be edited by those who know the data."""

from __future__ import annotations

import math
import re

import pandas as pd

from train.card import Card, CardDataset, CardField, CardValue
from train.dataset import MIN_VALUES, are_numbers, parse_number
from train.errors import TrainingError
from train.table import Table

MAX_LEVELS = 100
"""A text column with more distinct values than this is taken for a name, a date or free text, not a category."""

DEFAULT_WORDS = ("1", "1.0", "true", "yes", "y", "bad", "default", "defaulted", "charged off")
"""Common target values that mean default; exactly one of a target's two values must be among them."""


def infer_card(table: Table, target: str, id: str | None, default: str | None) -> Card:
    """A card with the kinds, levels, rounded bounds and missing values found in the table.

    `default`: the target's value that means default; None infers it.
    Raises TrainingError if a column is absent or empty, or the meaning of the target is ambiguous.
    """
    dataset = CardDataset(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", table.path.name.split(".")[0]).lstrip("_.-") or "table",
        path=str(table.path.resolve()),
        target=target,
        default=default if default is not None else infer_default(table, target),
        id=id,
    )
    if id is not None:
        table.column(id, "the id")
    names = [name for name in table.cells.columns if name not in (target, id)]
    fields = {name: _infer_field(name, table.column(name, "a field")) for name in names}
    return Card(dataset, fields)


def infer_default(table: Table, target: str) -> CardValue:
    """The target's value that means default; raises TrainingError if it is ambiguous."""
    values = sorted(set(table.texts(target, "the target").dropna()))
    words = [value for value in values if value.lower() in DEFAULT_WORDS]
    # A target with another number of values is refused, with its own message, when it is encoded.
    if len(values) == 2 and len(words) != 1:
        raise TrainingError(
            f"the target {target!r} has the values {values[0]!r} and {values[1]!r}, and which of them means default "
            f"can't be inferred; name it, for instance: --default {values[0]}"
        )
    return words[0] if words else ""


def _infer_field(name: str, cells: pd.Series[str]) -> CardField:
    label = re.sub(r"[_\s]+", " ", name).strip() or name
    nullable = bool(cells.isna().any())
    reason = f"Value of {label}"
    levels = sorted(set(cells.dropna()))
    if are_numbers(levels):
        numbers = [parse_number(level) for level in levels]
        is_rare = len(cells.dropna()) < MIN_VALUES
        return CardField(
            label=label,
            kind="number",
            minimum=round_out(min(numbers), down=True),
            maximum=round_out(max(numbers), down=False),
            nullable=nullable,
            reason=reason,
            use=not is_rare,
            note=f"Not used: a value in fewer than {MIN_VALUES} rows." if is_rare else "",
        )
    if len(levels) > MAX_LEVELS:
        return CardField(
            label=label,
            kind="category",
            nullable=nullable,
            use=False,
            note=f"Not used: {len(levels)} distinct texts, probably names, dates or free text.",
        )
    return CardField(label=label, kind="category", levels=tuple(map(str, levels)), nullable=nullable, reason=reason)


def round_out(value: float, *, down: bool) -> float:
    """A bound rounded outwards to one significant digit, because the artifact must not publish one person's value."""
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return float(f"{(math.floor if down else math.ceil)(value / unit) * unit:.1g}")
