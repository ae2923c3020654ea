"""Cells of text tables: missing values, numbers, levels, booleans."""

from __future__ import annotations

import contextlib
import decimal
import io
import math
import re
import time
from typing import Literal, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import MAX_MAGNITUDE, Field
from model.vocabulary import (
    GROUP_MARKS,
    MISSING_WORDS,
    OTHER_LEVEL,
    CellError,
    Decimal,
    find_readings,
    match_boolean,
    match_level,
    parse_number,
    read_cell,
)

DECIMALS: tuple[Decimal, ...] = get_args(Decimal)


def test_missing_words_are_the_defaults_of_pandas() -> None:
    """Training reads its tables with pandas."""
    lines = "".join(f"{row},{word}\n" for row, word in enumerate((*MISSING_WORDS, "none", "-", "x")))

    read = pd.read_csv(io.StringIO(f"row,word\n{lines}"), dtype=str)

    assert read["word"].isna().tolist() == [True] * len(MISSING_WORDS) + [False] * 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_the_number(number: float) -> None:
    """To the last bit, also with blanks around it."""
    assert repr(parse_number(f" {number!r}\t", ".")) == repr(number)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "1,5", "٣", "0x1", "1 2", "--1", "1e", "1_0", "\xa01_0", "1,000,00", "0,300", "1,000 000", "-$-1"),
        *("inf", "nan", "-Infinity", "1e999", "1" * 400, "$", "%", "$1%", "1.000.000"),
    ],
)
def test_a_text_that_is_no_finite_number_is_none(text: str) -> None:
    """Python's float would read some of these."""
    assert parse_number(text) is None


SIGNS = ["{}", "${}", "€ {}", "{}€", "{} %", "{}%", "{} ₹"]


@given(
    st.decimals(-(10**9), 10**9, places=4) | st.integers(-(10**9), 10**9),
    st.sampled_from(["", ".", ",", *GROUP_MARKS]),
    st.sampled_from([".", ","]),
    st.sampled_from(SIGNS),
)
def test_a_formatted_number_is_read_back(
    number: decimal.Decimal | int, group: str, mark: Literal[".", ","], sign: str
) -> None:
    """With any thousands mark and sign; if the decimal mark isn't known, the same number or none."""
    marks: dict[str, str | int | None] = {",": group if group != mark else "", ".": mark}
    text = sign.format(f"{number:,}".translate(str.maketrans(marks)))

    assert parse_number(text, mark) == float(number)
    assert parse_number(text, "?") in {float(number), None}
    assert parse_number(text, ".?") in {float(number), None} or (mark, group) == (",", ".")


@pytest.mark.parametrize(
    ("text", "decimal", "readings"),
    [
        ("1,300", "?", [1300, 1.3]),
        ("1.300", "?", [1.3, 1300]),
        ("1,300", ".?", [1300, 1.3]),
        ("1.300", ".?", [1.3]),
        ("1,5", ".?", [1.5]),
        ("5", "?", [5, 5]),
        ("0.300", "?", [0.3]),
        ("1,300", ",", [1.3]),
    ],
)
def test_a_number_has_the_readings_that_the_table_allows(text: str, decimal: Decimal, readings: list[float]) -> None:
    """With a decimal point, with a decimal comma."""
    assert find_readings(text, decimal) == readings
    assert parse_number(text, decimal) == (readings[0] if len({*readings}) == 1 else None)


NUMBER = Field("Income", "Income", "EUR", "number", (), None, None, False, "Low income")
OWNER = Field("Owner", "Owner", "", "category", ("False", "True", "None", "1"), None, None, True, "No owner")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (" 1.300,5 ", NUMBER, 1300.5),
        ("true", OWNER, 1.0),
        ("None", OWNER, 2.0),
        ("1.0", OWNER, 3.0),
        (" NA ", OWNER, math.nan),
        ("else", structs.replace(OWNER, levels=("own", OTHER_LEVEL)), 1.0),
        ("NA", structs.replace(OWNER, levels=("own", OTHER_LEVEL)), math.nan),
    ],
)
def test_a_cell_is_the_number_the_level_or_missing(text: str, field: Field, value: float) -> None:
    """A level that the field lists is never a missing word."""
    assert read_cell(text, field, ",") == pytest.approx(value, abs=0, rel=0, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "field", "decimal", "message"),
    [
        ("NA", NUMBER, ".", "missing; expected a number in EUR"),
        ("x", NUMBER, ".", "expected a number in EUR, got 'x'"),
        ("1e101", NUMBER, ".", "expected a number within ±1e+100, got '1e101'"),
        ("-1,0", structs.replace(NUMBER, lowest=0.0), ",", "expected a number of at least 0, got '-1,0'"),
        ("x", OWNER, ".", "expected one of: False, True, None, 1, got 'x'"),
        (
            *("1,300", NUMBER, "?"),
            "'1,300' is 1300 with a decimal point and 1.3 with a decimal comma; say which: decimal . or decimal ,",
        ),
    ],
)
def test_a_cell_that_is_no_value_of_its_field_is_refused(
    text: str, field: Field, decimal: Decimal, message: str
) -> None:
    """With what was expected."""
    with pytest.raises(CellError, match=f"^{re.escape(message)}$"):
        read_cell(text, field, decimal)


@given(st.text() | st.text("01.,-+$%e_ NA", max_size=12), st.sampled_from([NUMBER, OWNER]), st.sampled_from(".,?"))
def test_any_text_is_a_value_or_a_cell_error(text: str, field: Field, decimal: Decimal) -> None:
    """A finite number, an index, or NaN where the field is nullable."""
    with contextlib.suppress(CellError):
        assert abs(read_cell(text, field, decimal)) <= MAX_MAGNITUDE or field.nullable


def test_a_long_text_is_read_in_linear_time() -> None:
    """As long as a cell may be; a pattern with two runs of digits would take minutes."""
    start = time.perf_counter()

    numbers = [parse_number(text * 20_000 + "x", mark) for text in ("123456", "1,234,", "1.234.") for mark in DECIMALS]

    assert numbers == [None] * 12
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        *[("own", "own"), (" own\t", "own"), (" rent", " rent"), ("rent", " rent"), ("Own", None), ("", None)],
        *[("true", "True"), ("TRUE", "True"), ("1.0", "1"), ("-0.0", None), ("2", "2.0"), ("1.00", None), ("01", None)],
        *[("x ", "x "), ("x", "x"), (" x", "x")],
    ],
)
def test_a_level_is_matched_exactly_or_but_for_blanks_and_spelling(text: str, level: str | None) -> None:
    """Booleans are the same in any case, and whole numbers with .0; all other words have one spelling."""
    assert match_level(text, ("own", " rent", "True", "1", "2.0", "x ", "x")) == level


@pytest.mark.parametrize(
    ("levels", "indexes"),
    [(("False", "True"), (0, 1)), (("TRUE", "x", "false"), (2, 0)), (("own", "rent"), (None, None))],
)
def test_a_boolean_is_the_level_that_spells_it(levels: tuple[str, ...], indexes: tuple[int | None, ...]) -> None:
    """In any case."""
    assert (match_boolean(False, levels), match_boolean(True, levels)) == indexes
