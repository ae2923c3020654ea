"""How a cell of a text table (CSV) is read: words for a missing value, numbers, levels, booleans.

serve/ and score/ read cells with these functions. train/ reads its tables with pandas and takes only MISSING_WORDS from
here.
"""

from __future__ import annotations

from collections.abc import Sequence

MISSING_WORDS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
    *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Cells of a file that mean a missing value, unless a level has that name. The defaults of pandas.read_csv.

POST /score takes only an empty cell as missing.
"""


def parse_number(text: str) -> float | None:
    """The number that an ASCII text stands for, blanks around it ignored; None if it is no number.

    Python's syntax without underscores: '1', '+2.5', '1e-3', 'inf', 'nan'.
    """
    text = text.strip()
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def match_level(text: str, levels: Sequence[str]) -> str | None:
    """The level that a cell stands for; None if there is none.

    Blanks around the cell are ignored, unless the level itself has them.
    """
    if text in levels:
        return text
    return stripped if (stripped := text.strip()) in levels else None


def match_boolean(value: bool, levels: Sequence[str]) -> int | None:
    """The index of the level that spells a boolean, in any case ('True', 'FALSE'); None if there is none."""
    words = [level.lower() for level in levels]
    word = str(value).lower()
    return words.index(word) if word in words else None
