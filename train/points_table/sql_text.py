"""Names, texts and numbers in SQL that SQLite, DuckDB and PostgreSQL read as the same."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from fractions import Fraction

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer names."""

MAX_INTEGER = 2**24
"""Larger integers as doubles: DuckDB compares a FLOAT column with an integer literal as FLOAT."""

PRECISION = Fraction(1, 2**58)
"""Relative error with which every engine reads a decimal of a usual size, before it is rounded to a double."""

USUAL = (1e-30, 1e30)
"""The sizes that SQLite reads so well; it multiplies by powers of ten, with more errors for larger exponents."""


def quote_name(name: str) -> str:
    """A column's name."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def quote_table(name: str) -> str:
    """A table's name; points separate catalog, schema and table."""
    return ".".join(quote_name(part) for part in name.split("."))


def quote_text(text: str) -> str:
    """A text."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def write_comment(text: str) -> str:
    """A comment of one line, whatever line breaks the text has."""
    return f"-- {' '.join(text.split())}"


def write_number(number: float) -> str:
    """A number as a literal: a double with an exponent, so that no engine takes it as a decimal."""
    if number == int(number) and abs(number) < MAX_INTEGER:
        return str(int(number))
    text = repr(number).removesuffix(".0")
    exact = Fraction(text)
    is_usual = USUAL[0] < abs(number) < USUAL[1]
    if is_usual and all(float(exact * (1 + error)) == number for error in (-PRECISION, PRECISION)):
        return text if "e" in text else f"{text}e0"
    return _write_exactly(number)


def name_columns(wanted: Sequence[str], taken: Collection[str]) -> list[str]:
    """The names, cut to what PostgreSQL keeps, and numbered where one is taken; case makes no difference in SQL."""
    seen = {_cut(name).lower() for name in taken}
    names = []
    for name in wanted:
        unique, number = _cut(name), 1
        while unique.lower() in seen:
            number += 1
            unique = f"{_cut(name, MAX_NAME_BYTES - 8)}_{number}"
        seen.add(unique.lower())
        names.append(unique)
    return names


def _cut(name: str, size: int = MAX_NAME_BYTES) -> str:
    return name.encode()[:size].decode(errors="ignore")


def _write_exactly(number: float) -> str:
    """The mantissa, multiplied or divided by powers of two: every step is exact. For decimals near the middle of two
    doubles, which SQLite may round to the other."""
    mantissa, exponent = math.frexp(number)
    exponent -= 53
    text = f"CAST({int(mantissa * 2**53)} AS DOUBLE PRECISION)"
    while exponent:
        step = min(abs(exponent), 62)
        text += f" {'*' if exponent > 0 else '/'} CAST({2**step} AS DOUBLE PRECISION)"
        exponent -= step if exponent > 0 else -step
    return f"({text})"
