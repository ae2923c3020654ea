"""A first card for a table nobody has described yet, to be edited by those who know the data."""

from __future__ import annotations

import math
import re

import pandas as pd

from train.card import Card, CardField, CardValue, Dataset
from train.dataset import FEWEST_VALUES, are_numbers, parse_number
from train.errors import TrainingError
from train.table import Table

MOST_LEVELS = 100
"""A text column with more different values than this is rather a name, a date or a free text than a category."""

DEFAULT_WORDS = ("1", "1.0", "true", "yes", "y", "bad", "default", "defaulted", "charged off")
"""What tables call a default; of two values exactly one must be among them."""


def infer_card(table: Table, target: str, id: str | None, default: str | None) -> Card:
    """A card from what the table shows: kinds, levels, rounded bounds, gaps.

    `default` is the value of the target that means default, where it can't be told from its words.
    Raises TrainingError if a column is absent or empty, or the meaning of the target is unclear.
    """
    dataset = Dataset(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "_", table.path.name.split(".")[0]).lstrip("_.-") or "table",
        path=str(table.path.resolve()),
        target=target,
        default=default if default is not None else default_value(table, target),
        id=id,
    )
    if id is not None:
        table.column(id, "the id")
    names = [name for name in table.cells.columns if name not in (target, id)]
    fields = {name: _infer_field(name, table.column(name, "a field")) for name in names}
    return Card(dataset, fields)


def default_value(table: Table, target: str) -> CardValue:
    """The value of a target that means default; raises TrainingError if it isn't plain."""
    values = sorted(set(table.texts(target, "the target").dropna()))
    words = [value for value in values if value.lower() in DEFAULT_WORDS]
    # Other numbers of values are refused, with the reason, when the target is encoded.
    if len(values) == 2 and len(words) != 1:
        raise TrainingError(
            f"the target {target!r} has the values {values[0]!r} and {values[1]!r}, and it isn't plain which of them "
            f"means default; say it: --default {values[0]}"
        )
    return words[0] if words else ""


def _infer_field(name: str, cells: pd.Series[str]) -> CardField:
    label = re.sub(r"[_\s]+", " ", name).strip() or name
    nullable = bool(cells.isna().any())
    reason = f"Value of {label}"
    levels = sorted(set(cells.dropna()))
    if are_numbers(levels):
        numbers = [parse_number(level) for level in levels]
        is_rare = len(cells.dropna()) < FEWEST_VALUES
        return CardField(
            label=label,
            kind="number",
            minimum=round_out(min(numbers), down=True),
            maximum=round_out(max(numbers), down=False),
            nullable=nullable,
            reason=reason,
            use=not is_rare,
            note=f"Not used: a value in fewer than {FEWEST_VALUES} rows." if is_rare else "",
        )
    if len(levels) > MOST_LEVELS:
        return CardField(
            label=label,
            kind="category",
            nullable=nullable,
            use=False,
            note=f"Not used: {len(levels)} different texts, which looks like a name, a date or a free text.",
        )
    return CardField(label=label, kind="category", levels=tuple(map(str, levels)), nullable=nullable, reason=reason)


def round_out(value: float, *, down: bool) -> float:
    """A bound rounded outwards to one significant digit: the card goes into the artifact, a person's value doesn't."""
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return float(f"{(math.floor if down else math.ceil)(value / unit) * unit:.1g}")
