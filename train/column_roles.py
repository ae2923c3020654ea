"""What each column of a table is: a number, a category, or something that is no input of a model, and why.

Used to infer a card; nothing is left out without its reason in the card.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from model.vocabulary import OTHER_LEVEL, Decimal, describe_bad_number, is_missing, parse_number
from train.dataset import MIN_VALUES
from train.errors import shorten
from train.identifiers import explain_identifier
from train.sentinels import describe_sentinels, find_sentinels
from train.table import Table, format_floats
from train.time_formats import FORMATS, make_format

MAX_LEVELS = 50
"""Levels of a category; rarer ones share OTHER_LEVEL."""

MIN_LEVEL_ROWS = 20
"""A level with fewer rows is rare."""

MIN_NUMBERS = 10
"""Distinct numbers from which on a column with some other texts is one of numbers, not of levels such as 0, 1, 3+."""

WEIGHT_NAME = re.compile(r"(?:sample|case|obs)?_?(?:weights?|wgt)", re.IGNORECASE)
CODE_NAME = re.compile(
    r"(?:^|_)(?:zip|zipcode|zip_?code|postcode|post_?code|postal|postal_?code|plz|naics|sic|mcc|.*code)$", re.IGNORECASE
)
LEVEL_WORDS = frozenset({"None", "NA", "N/A", "n/a", "null", "NULL"})
"""Words for a missing value that could be a level in a column of words."""

DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    r"|\d{1,2}[- ]?[A-Za-z]{3,9}\.?[-, ]*(?:\d{4}|\d{2})|[A-Za-z]{3,9}\.?[- ]\d{1,2}?,? ?\d{2,4}"
    r"|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
MONTHS = tuple(form for form in map(make_format, FORMATS) if form.unit in ("month", "quarter"))

A_DATE = "a date: say if it is when they applied (--time), or take the days between two dates (from, to in the card)"


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is. `why`: for kind 'none' why it isn't used, else a remark, or ''.

    `levels`: of a category. `bad`: for a number, the cells that are none, with row and sentence. `missing`: numbers
    that most likely stand for a missing value. `may_be_allowed`: of kind 'none' only because of its name.
    """

    kind: Literal["number", "category", "none"]
    why: str = ""
    levels: tuple[str, ...] = ()
    bad: tuple[tuple[int, str], ...] = ()
    missing: tuple[float, ...] = ()
    may_be_allowed: bool = False


def find_roles(
    table: Table, columns: Collection[str], ignored: Collection[str], allowed: Collection[str] = ()
) -> dict[str, Role]:
    """The role of each of these columns; those `allowed` are no ids, whatever their names."""
    missing_in_numbers = _words_in_numbers(table, columns)
    seen: dict[bytes, str] = {}
    roles = {}
    for name in columns:
        if name in ignored:
            roles[name] = Role("none", "left out with --ignore")
            continue
        cells = table.cells[name]
        why = "" if name in allowed else explain_identifier(name, cells, table.decimal)
        role = (
            Role("none", why, may_be_allowed=True)
            if why
            else _find_role(name, cells, table.decimal, missing_in_numbers)
        )
        if role.kind != "none":
            content = pd.util.hash_pandas_object(_comparable(cells, table.decimal), index=False).to_numpy().tobytes()
            if (first := seen.setdefault(content, name)) != name:
                role = Role("none", f"a copy of {first}")
        roles[name] = role
    return roles


def _comparable(cells: pd.Series[Any], decimal: Decimal) -> pd.Series[str]:
    """A column with its numbers written in one way, so that copies are found."""
    if is_float_dtype(cells):
        return format_floats(cells)
    words = {word: number for word in cells.unique() if (number := parse_number(word, decimal)) is not None}
    return cells.map(lambda word: str(words.get(word, word)))


def _words_in_numbers(table: Table, columns: Collection[str]) -> set[str]:
    """Words for a missing value that stand in a column of numbers, which shows that the table means that by them."""
    found: set[str] = set()
    for name in columns:
        cells = table.cells[name]
        if is_float_dtype(cells):
            continue
        words = set(cells.unique())
        others = {word for word in words if not is_missing(word)}
        numbers = sum(parse_number(word, table.decimal) is not None for word in others)
        if others and numbers >= 0.9 * len(others):
            found |= words & LEVEL_WORDS
    return found


def _find_role(name: str, cells: pd.Series[Any], decimal: Decimal, missing_in_numbers: set[str]) -> Role:
    if is_float_dtype(cells):
        return _number_role(cells, dict(zip(*_float_counts(cells), strict=True)), int(cells.isna().sum()), {})
    counts = cells.value_counts()
    words = {str(word): int(count) for word, count in counts.items()}
    given = {word: count for word, count in words.items() if not is_missing(word)}
    numbers = {word: number for word in given if (number := parse_number(word, decimal)) is not None}
    n_missing = len(cells) - sum(given.values())
    n_numbers = sum(given[word] for word in numbers)
    if not given and not set(words) & (LEVEL_WORDS - missing_in_numbers):
        return Role("none", "empty")
    if given and len(numbers) == len(given):
        return _whole_number_column(name, cells, given, numbers, n_missing)
    is_date = [_is_date(word) for word in given]
    if given and sum(is_date) >= 0.9 * len(given) and len(given) > 2:
        return Role("none", A_DATE)
    if len(set(numbers.values())) > MIN_NUMBERS and n_numbers >= 0.5 * sum(given.values()):
        bad = {word: describe_bad_number(word, "a number", decimal) for word in given if word not in numbers}
        values: dict[float, int] = {}
        for word, number in numbers.items():
            values[number] = values.get(number, 0) + given[word]
        return _number_role(cells, values, n_missing, bad)
    return _category_role(words, missing_in_numbers, len(cells))


def _is_date(word: str) -> bool:
    return bool(DATE.fullmatch(word)) or any(form.parse(word) is not None for form in MONTHS)


def _float_counts(cells: pd.Series[float]) -> tuple[list[float], list[int]]:
    values, counts = np.unique(cells.dropna().to_numpy(np.float64), return_counts=True)
    return values.tolist(), counts.tolist()


def _whole_number_column(
    name: str, cells: pd.Series[str], given: dict[str, int], numbers: dict[str, float], n_missing: int
) -> Role:
    """A column in which every cell is a number: one that counts something, or one that is only written with digits."""
    values: dict[float, int] = {}
    for word, number in numbers.items():
        values[number] = values.get(number, 0) + given[word]
    is_whole = all(number.is_integer() for number in values)
    if WEIGHT_NAME.fullmatch(name):
        return Role("none", "a weight of the row, by its name: to train with it, --weight")
    if is_whole and not n_missing and len(values) == len(cells) > 2:
        in_order = np.array([numbers[word] for word in cells])
        steps = np.diff(in_order)
        if (steps > 0).all() or (steps < 0).all() or np.ptp(in_order) == len(cells) - 1:
            return Role("none", "a row number or an id: every row has another whole number, in order")
    if len(values) > 2 and all(len(word) in (6, 8) and _is_date(word) for word in given):
        return Role("none", A_DATE)
    has_zeros = any(re.fullmatch(r"0\d+", word) for word in given)
    if has_zeros or (is_whole and len(values) > 2 and CODE_NAME.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))):
        return _category_role(given, set(), len(cells), "a code, not a number, and read as a category")
    return _number_role(cells, values, n_missing, {})


def _number_role(cells: pd.Series[str], values: dict[float, int], n_missing: int, bad: dict[str, str]) -> Role:
    if not values:
        return Role("none", "empty")
    if len(values) == 1 and not n_missing and not bad:
        return Role("none", f"a constant: {next(iter(values)):.15g} in every row")
    missing = find_sentinels(values)
    if sum(count for number, count in values.items() if number not in missing) < MIN_VALUES:
        return Role("none", f"a value in fewer than {MIN_VALUES} rows")
    rows: list[tuple[int, str]] = []
    if bad:
        where = np.flatnonzero(cells.isin(list(bad)).to_numpy()).tolist()
        rows = [(row, bad[cells.iloc[row]]) for row in where]
    return Role("number", describe_sentinels(missing, values), bad=tuple(rows), missing=missing)


def _category_role(words: dict[str, int], missing_in_numbers: set[str], n_rows: int, remark: str = "") -> Role:
    kept = {word: words[word] for word in words if word in LEVEL_WORDS - missing_in_numbers}
    levels = {word: count for word, count in words.items() if not is_missing(word)} | kept
    n_missing = sum(words.values()) - sum(levels.values())
    remarks = [remark] if remark else []
    if kept:
        told = ", ".join(f"{word!r} ({count:,} rows)" for word, count in kept.items())
        remarks.append(f"{told} taken as a level, not as missing: to change that, remove it from the card's levels")
    if taken := {word: words[word] for word in words if word in LEVEL_WORDS & missing_in_numbers}:
        told = ", ".join(f"{word!r} ({count:,} rows)" for word, count in taken.items())
        remarks.append(
            f"{told} taken as missing, as in the columns of numbers: to change that, add it to the card's levels"
        )
    if len(levels) == 1 and not n_missing:
        return Role("none", f"a constant: {next(iter(levels))!r} in every row")
    rare = sorted(word for word, count in levels.items() if count < MIN_LEVEL_ROWS)
    common = sorted(set(levels) - set(rare), key=lambda word: (-levels[word], word))
    rare += common[MAX_LEVELS:]
    common = common[:MAX_LEVELS]
    if not common or (len(levels) > MAX_LEVELS and sum(levels[word] for word in rare) > 0.9 * n_rows):
        what = "a code" if remark else "names or free text"
        return Role("none", f"{what}: {len(levels):,} distinct values in {n_rows:,} rows")
    if len(rare) < 2 or any(word == OTHER_LEVEL for word in levels):
        return Role("category", "; ".join(remarks), tuple(sorted([*common, *rare])))
    remarks.append(f"{len(rare):,} rare levels share {OTHER_LEVEL} ({shorten(rare, 5)}), as does any level seen later")
    return Role("category", "; ".join(remarks), (*sorted(common), OTHER_LEVEL))
