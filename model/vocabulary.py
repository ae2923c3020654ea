"""How a cell of a text table is read: missing values, numbers, levels. One rule for every door.

train/, score/ and serve/ read the cells of CSV and Excel files with these functions; whatever faster reader they use,
it must give the same values and the same faults. Blanks around a cell never count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from model.contract import Field
from model.messages import describe_expected, describe_limit, quote_value

Decimal = Literal[".", ",", ".?", "?"]
"""The decimal mark of a table. '.?': a point is one, and whether a comma is one can't be told; '?': neither can."""

MISSING_WORDS = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
        *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""Cells that mean a missing value, unless a level has that name. The defaults of pandas.read_csv."""

OTHER_LEVEL = "(other)"
"""A level of this name stands for every text that no other level has, at every door."""

CURRENCY_SIGNS = "$€£¥₹"
GROUP_MARKS = "_'’ \u00a0\u202f"
"""Marks between thousands, beside the comma of 1,000.5 and the point of 1.000,5."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _number_pattern(decimal: str, group: str) -> re.Pattern[str]:
    """A number with a sign, a currency or percent sign; groups of three digits have the same mark between them."""
    currency = f"[{re.escape(CURRENCY_SIGNS)}]"
    mark, groups = re.escape(decimal), f"[{re.escape(group + GROUP_MARKS)}]"
    plain = rf"(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    grouped = rf"[1-9][0-9]{{0,2}}(?P<mark>{groups})[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*(?:{mark}[0-9]*)?"
    before = rf"(?P<sign>[+-])?(?:(?P<currency>{currency})\s?(?(sign)|(?P<inner>[+-])?))?"
    after = rf"(?(currency)|(?:\s?(?:{currency}|%))?)"
    return re.compile(rf"{before}(?P<digits>{grouped}|{plain}){after}")


NUMBER_PATTERNS = {".": _number_pattern(".", ","), ",": _number_pattern(",", ".")}
"""Decimal mark → the pattern of a stripped number."""


def parse_number(text: str, decimal: Decimal = ".") -> float | None:
    """The float64 nearest to a text, blanks around it ignored; None if it is no number, or can be read two ways.

    Beside plain numbers ('1', '+2.5', '1e-3') it takes thousands marks (1,000.5; 1.000,5 with a decimal comma; 1 000;
    1'000; 1_000), a currency sign and a percent sign, which is dropped: 12% is 12. Only ASCII digits; no infinity.
    """
    text = text.strip()
    if decimal in (".", ".?") and _PLAIN.fullmatch(text):
        return number if math.isfinite(number := float(text)) else None
    values = set(find_readings(text, decimal))
    return values.pop() if len(values) == 1 else None


def find_readings(text: str, decimal: Decimal) -> list[float]:
    """The finite numbers that a stripped text can stand for: with a decimal point, with a decimal comma."""
    marks = {".": ".", ",": ",", ".?": "." if "." in text else ".,", "?": ".,"}[decimal]
    return [value for mark in marks if (value := _parse(text, mark)) is not None]


def _parse(text: str, decimal: str) -> float | None:
    match = NUMBER_PATTERNS[decimal].fullmatch(text)
    if match is None:
        return None
    digits = match["digits"].replace(match["mark"], "") if match["mark"] else match["digits"]
    number = float((match["sign"] or match["inner"] or "") + digits.replace(decimal, "."))
    return number if math.isfinite(number) else None


def is_missing(text: str) -> bool:
    """Whether a cell means a missing value, unless a level has that name."""
    return text.strip() in MISSING_WORDS


def match_level(text: str, levels: Sequence[str]) -> str | None:
    """The level that a cell stands for; None if there is none.

    Blanks around both are ignored, 'true' is the level True, and 1.0 is the level 1, unless another level fits exactly.
    """
    for word in (text, text.strip()):
        if word in levels:
            return word
    for normalise in (str.strip, _normalise):
        word = normalise(text)
        for level in levels:
            if normalise(level) == word:
                return level
    return None


def _normalise(text: str) -> str:
    """Booleans in lower case, whole numbers without '.0'; anything else stripped."""
    text = text.strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    return text[:-2] if re.fullmatch(r"-?[0-9]+\.0", text) else text


def match_boolean(value: bool, levels: Sequence[str]) -> int | None:
    """The index of the level that spells a boolean, in any case ('True', 'FALSE'); None if there is none."""
    words = [level.lower() for level in levels]
    word = str(value).lower()
    return words.index(word) if word in words else None


class LevelIndexes(dict[str | bool, float]):
    """Level → index; any other text → the index of OTHER_LEVEL, if there is one."""

    def __missing__(self, text: str | bool) -> float:
        if OTHER_LEVEL not in self:
            raise KeyError(text)
        return self[OTHER_LEVEL]


def index_levels(levels: Sequence[str]) -> LevelIndexes:
    """Level → index; where the levels are the words true and false, booleans are keys too."""
    indexes = LevelIndexes((level, float(index)) for index, level in enumerate(levels))
    false, true = match_boolean(False, levels), match_boolean(True, levels)
    if len(levels) == 2 and false is not None and true is not None:
        indexes |= {False: float(false), True: float(true)}
    return indexes


class CellError(ValueError):
    """A cell can't be a value of its field; the message says what was expected, and what to do."""


def read_cell(text: str, field: Field, decimal: Decimal) -> float:
    """A cell as the graph takes it: a number, the index of a level, or NaN for a missing value; raises CellError."""
    if field.kind == "category" and (level := match_level(text, field.levels)) is not None:
        return float(field.levels.index(level))
    if is_missing(text):
        if field.nullable:
            return math.nan
        raise CellError(f"missing; expected {describe_expected(field)}")
    if field.kind == "category" and OTHER_LEVEL in field.levels:
        return float(field.levels.index(OTHER_LEVEL))
    if field.kind == "category":
        raise CellError(f"expected {describe_expected(field)}, got {quote_value(text.strip())}")
    number = parse_number(text, decimal)
    if number is None:
        raise CellError(describe_bad_number(text.strip(), describe_expected(field), decimal))
    if not field.takes(number):
        raise CellError(f"expected a number {describe_limit(field, number)}, got {quote_value(text.strip())}")
    return number


def describe_bad_number(text: str, expected: str, decimal: Decimal) -> str:
    """Why a stripped text is no number: it can be read two ways, or not at all."""
    readings = find_readings(text, decimal)
    if len(readings) == 2:
        return (
            f"{quote_value(text)} is {readings[0]:.15g} with a decimal point and {readings[1]:.15g} with a decimal "
            "comma; say which: decimal . or decimal ,"
        )
    return f"expected {expected}, got {quote_value(text)}"
