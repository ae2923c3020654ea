"""Numbers that stand for a missing value in a column of numbers: 365243, 999, -9999, and -7, -8, -9 of credit bureaus.

Used to infer a card, which proposes them as `missing`. A code is told by what it is and where it stands: frequent, at
an end of the column, and far from all other numbers or the only ones of its sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MIN_SHARE = 0.01
"""A code stands in at least this share of the rows with a number."""

MIN_OTHERS = 2
"""Distinct numbers that aren't codes."""

MIN_GAP = 0.2
"""Distance of a code from all other numbers, as a share of their range."""

CODE = re.compile(r"-?9{3,}|365243")
"""Nines, at either end; and the days in 1,000 years."""

NEGATIVE_CODE = re.compile(r"-9*[789]")
"""Codes of credit bureaus and surveys: no record, not usable, not applicable. Only among numbers of at least 0."""


def find_sentinels(counts: Mapping[float, int]) -> tuple[float, ...]:
    """The numbers of a column, each with the number of its rows, that most likely stand for a missing value."""
    total = sum(counts.values())
    rest, found = sorted(counts), []

    def is_frequent(number: float) -> bool:
        return counts[number] >= max(2, MIN_SHARE * total)

    while len(rest) > MIN_OTHERS:
        ends = ((rest[0], rest[1], rest[-1]), (rest[-1], rest[-2], rest[0]))
        code = next((end[0] for end in ends if is_frequent(end[0]) and _is_far(*end)), None)
        if code is None:
            break
        rest.remove(code)
        found.append(code)
    negative = [number for number in rest if number < 0]
    if len(rest) - len(negative) >= MIN_OTHERS and all(
        is_frequent(number) and NEGATIVE_CODE.fullmatch(_format(number)) for number in negative
    ):
        found += negative
    return tuple(sorted(found))


def _is_far(number: float, neighbour: float, far_end: float) -> bool:
    """Whether a number at an end is written as codes are, and far from the others or the only one of its sign."""
    is_alone = number < 0 <= neighbour or number > 0 >= neighbour
    is_far = abs(number - neighbour) > MIN_GAP * abs(neighbour - far_end)
    return bool(CODE.fullmatch(_format(number))) and (is_alone or is_far)


def _format(number: float) -> str:
    return f"{number:.0f}" if number.is_integer() else ""


def describe_sentinels(missing: Sequence[float], counts: Mapping[float, int]) -> str:
    """What is told of a column's codes; '' if there are none."""
    if not missing:
        return ""
    others = [number for number in counts if number not in missing]
    rows = ", ".join(f"{number:.0f} in {counts[number]:,} rows" for number in missing)
    what = "a code for a missing value" if len(missing) == 1 else "codes for a missing value"
    return f"{rows}, all others from {min(others):g} to {max(others):g}: most likely {what}"
