"""The target of a table: which of its values means default, and the outcomes as 0 and 1.

Only what everybody reads one way is taken; anything else is asked.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from train.card import CardValue
from train.errors import TrainingError
from train.table import Table, find_missing

MIN_CLASS_ROWS = 20
"""Smallest number of goods and of defaults that a hold-out and the folds need."""

DEFAULT_WORDS = frozenset(
    (
        *("bad", "badloan", "default", "defaulted", "defaulter", "chargedoff", "chargeoff", "chgoff", "writtenoff"),
        *("writeoff", "delinquent", "loss", "npl", "nonperforming", "notpaid", "unpaid"),
    )
)
GOOD_WORDS = frozenset(
    (
        *("good", "goodloan", "fullypaid", "paid", "pif", "paidinfull", "repaid", "performing", "ok", "current"),
        *("nodefault", "nondefault", "notdefault", "notdefaulted", "nondefaulter"),
    )
)
"""Values of a target, in lower case and without anything but letters."""

GOOD_NAMES = re.compile(r"good|paid|repa(?:id|y)|approv|accept|perform|success|surviv|healthy", re.IGNORECASE)
"""Names of a target whose 1 most likely means good."""

Labels = npt.NDArray[np.int64]


def infer_default(table: Table, target: str) -> CardValue:
    """The target's value that means default; raises TrainingError if it isn't told by the values themselves."""
    cells = table.texts(target, "the target")
    counts = cells[~find_missing(cells)].value_counts().sort_index()
    values = [str(value) for value in counts.index]
    if len(values) != 2:
        return ""  # It is refused with its own message when it is encoded.
    default = find_default(values, target)
    if default is not None:
        return default
    found = " and ".join(f"{value!r} ({count:,} rows)" for value, count in zip(values, counts, strict=True))
    raise TrainingError(
        f"the target {target!r} has the values {found}, and which of them means default can't be told; "
        f"say which: --default {values[0]} or --default {values[1]}"
    )


def find_default(values: list[str], target: str = "") -> str | None:
    """Which of two values everybody reads as default, None if there is none; a target named 'good' says 1 is good."""
    for default, good in (values, values[::-1]):
        if _word(default) in DEFAULT_WORDS and _word(good) not in DEFAULT_WORDS:
            return default
        if _word(good) in GOOD_WORDS and _word(default) not in GOOD_WORDS and _word(default).startswith(("non", "not")):
            return default
        if is_same(good, 0) and is_same(default, 1) and not GOOD_NAMES.search(target):
            return default
        if (good.lower(), default.lower()) == ("false", "true") and not GOOD_NAMES.search(target):
            return default
    return None


def _word(value: str) -> str:
    return re.sub(r"[^a-z]", "", value.lower())


def find_unlabelled(table: Table, target: str) -> npt.NDArray[np.bool_]:
    """Which rows have no outcome; bool, shape (n,)."""
    return find_missing(table.texts(target, "the target"))


def encode_target(table: Table, name: str, default: CardValue) -> Labels:
    """The target as int64, shape (n,), 1 where it is the value that means default."""
    cells = table.texts(name, "the target")
    unlabelled = find_unlabelled(table, name)
    if unlabelled.any():
        raise TrainingError(
            f"the target {name!r} is missing in {unlabelled.sum():,} of {len(cells):,} rows of {table.path}, first in "
            f"{table.line(int(unlabelled.argmax()))}; fill it, or leave these rows out with --drop-unlabelled"
        )
    counts = cells.value_counts()
    if len(counts) != 2:
        found = ", ".join(f"{value!r} ({count:,})" for value, count in counts.head(8).items())
        raise TrainingError(
            f"the target {name!r} of {table.path} has {len(counts)} distinct values "
            f"({found}{', …' if len(counts) > 8 else ''}), expected two: one for good, one for default"
        )
    y = cells.map({value: int(is_same(value, default)) for value in counts.index}).to_numpy(np.int64)
    values = sorted(counts.index)
    if y.all() or not y.any():
        raise TrainingError(
            f"no row of {table.path} has the target {name!r} = {default!r}, the value for default; "
            f"its values are {values[0]!r} and {values[1]!r}"
        )
    if min(y.sum(), len(y) - y.sum()) < MIN_CLASS_ROWS:
        raise TrainingError(
            f"the target {name!r} of {table.path} has {y.sum()} defaults in {len(y)} rows, expected at least "
            f"{MIN_CLASS_ROWS} defaults and {MIN_CLASS_ROWS} goods; add rows"
        )
    return y


def find_default_text(table: Table, name: str, y: Labels) -> str:
    """The text of the target's cells that means default, by its outcomes, shape (n,)."""
    return str(table.texts(name, "the target").iloc[int(y.argmax())])


def is_same(cell: str, value: CardValue) -> bool:
    """Whether a cell equals a value of the card: as text, as number, or as boolean in any case."""
    if isinstance(value, bool):
        return cell.lower() == str(value).lower()
    if cell == str(value):
        return True
    try:
        return float(cell) == float(value)
    except ValueError:
        return False
