"""Which applicants of a through-the-door table were accepted: models are fitted and measured on them alone.

Only what everybody reads one way is taken; anything else is asked. The column is never an input.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from model.contract import Contract
from train.card import CardValue
from train.errors import TrainingError, shorten
from train.table import Table, find_missing
from train.target import find_unlabelled, is_same
from train.weights import Flags

ACCEPTED_WORDS = frozenset(("accept", "accepted", "approve", "approved", "booked", "funded", "granted", "disbursed"))
REJECTED_WORDS = frozenset(("reject", "rejected", "decline", "declined", "refuse", "refused", "denied", "turneddown"))
"""Values of the column, in lower case and without anything but letters."""

ACCEPTED_NAMES = re.compile(r"accept|approv|book|fund|grant|disburs", re.IGNORECASE)
REJECTED_NAMES = re.compile(r"reject|declin|refus|deni|(?:^|[_ ])(?:not|non|un)", re.IGNORECASE)
"""Names of a column whose yes or 1 means accepted, and names whose yes may mean the contrary."""

YES_NO = (("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("1", "0"))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The column that says who was accepted, and its value that means accepted."""

    column: str
    value: CardValue

    def flag(self, table: Table) -> Flags:
        """Which rows were accepted, bool, shape (n,); raises TrainingError if a cell is empty or none has the value."""
        cells = _read(table, self.column)
        is_accepted = {text: is_same(text, self.value) or _fold(text) == _fold(str(self.value)) for text in set(cells)}
        if not any(is_accepted.values()):
            raise TrainingError(
                f"no row of {table.path} has {self.column!r} = {self.value!r}, the value for accepted; its values are "
                f"{shorten([repr(text) for text in sorted(is_accepted)], 5)}"
            )
        flags: Flags = cells.map(is_accepted).to_numpy(bool)
        return flags

    def keep(self, table: Table, target: str | None = None) -> Table:
        """The table without the applicants who weren't accepted, with a note; `target`: the column of the outcome."""
        flags = self.flag(table)
        others = Counter(_read(table, self.column)[~flags])
        found = shorten([f"{text} {count:,}" for text, count in others.most_common()], 5)
        note = (
            f"Accepted: {flags.sum():,} of {len(flags):,} applicants ({self.column} = {self.value!r}), whose outcomes "
            f"alone count; the others: {found or 'none'}"
        )
        if target in table.names and (known := int((~flags & ~find_unlabelled(table, target)).sum())):
            note += f"; {known:,} of these have an outcome in the table, which isn't used"
        return replace(table.drop(~flags), notes=(*table.notes, note))


def read_acceptance(table: Table, column: str | None, value: CardValue | None = None) -> Acceptance | None:
    """What a card or the options say of the table; None without a column.

    Without a value it is told by the values of the column; raises TrainingError if they don't tell.
    """
    if column is None:
        return None
    return Acceptance(column, infer_accepted(table, column) if value is None else value)


def find_acceptance(table: Table, contracts: Sequence[Contract]) -> Acceptance | None:
    """What the model files say of a table that has the column they were trained with; None if it hasn't."""
    for training in (contract.training for contract in contracts):
        if training.accepted and training.accepted in table.names:
            return Acceptance(training.accepted, training.accepted_value)
    return None


def infer_accepted(table: Table, column: str) -> str:
    """The value that means accepted; raises TrainingError if it isn't told by the values themselves."""
    cells = _read(table, column)
    counts = cells.value_counts().sort_index()
    accepted = find_accepted([str(text) for text in counts.index], column)
    if accepted is not None:
        return accepted
    found = shorten([f"{str(text)!r} ({count:,} rows)" for text, count in counts.items()], 5)
    example = min(counts.index, key=lambda text: _rank(str(text)))
    if len({_fold(str(text)) for text in counts.index}) == 1:
        raise TrainingError(
            f"the column {column!r} has only the value {found}: all are accepted or none is; if these were accepted, "
            f"leave the column out, or state --accepted-value {example} (in a card accepted_value)"
        )
    raise TrainingError(
        f"the column {column!r} has the values {found}, and which of them means accepted can't be told; say which: "
        f"--accepted-value {example} (in a card accepted_value); all others then mean rejected"
    )


def find_accepted(values: Sequence[str], column: str = "") -> str | None:
    """Which of two values everybody reads as accepted; None if there is none. Upper and lower case are the same.

    Yes, true and 1 are only taken in a column whose name says that they mean accepted.
    """
    spellings = {_fold(text): text for text in reversed(values)}
    values = tuple(spellings.values())[::-1]
    if len(values) != 2:
        return None
    is_clear = bool(ACCEPTED_NAMES.search(column)) and not REJECTED_NAMES.search(column)
    for accepted, rejected in (values, values[::-1]):
        words = _word(accepted), _word(rejected)
        if words[0] in ACCEPTED_WORDS and words[1] not in ACCEPTED_WORDS:
            return accepted
        if words[1] in REJECTED_WORDS and words[0] not in REJECTED_WORDS:
            return accepted
        if is_clear and (_fold(accepted), _fold(rejected)) in YES_NO:
            return accepted
    return None


def _read(table: Table, column: str) -> pd.Series[Any]:
    """The cells as text; raises TrainingError if one is empty."""
    cells = table.texts(column, "whether an applicant was accepted")
    empty = find_missing(cells)
    if empty.any():
        raise TrainingError(
            f"the column {column!r}, whether an applicant was accepted, is empty in {empty.sum():,} of {len(cells):,} "
            f"rows of {table.path}, first in {table.line(int(empty.argmax()))}; fill it, or leave these rows out"
        )
    return cells


def _fold(text: str) -> str:
    text = text.strip().casefold()
    return text[:-2] if text in ("1.0", "0.0") else text


def _rank(text: str) -> int:
    """How little a value looks like accepted: 0 yes, 1 unknown, 2 no."""
    if _word(text) in ACCEPTED_WORDS or _fold(text) in {yes for yes, _ in YES_NO}:
        return 0
    return 2 if _word(text) in REJECTED_WORDS or _fold(text) in {no for _, no in YES_NO} else 1


def _word(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
