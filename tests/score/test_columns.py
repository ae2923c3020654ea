"""Decoding of Arrow columns: a cell means the same in every type and file format, and in a request to the service."""

from __future__ import annotations

import decimal
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import Field
from model.vocabulary import MISSING_WORDS, CellError, Decimal, read_cell
from score.columns import read_column
from score.errors import ScoringError
from serve.schemas.applicants import make_rules, read_applicants
from serve.schemas.problems import InvalidApplicants

NUMBER = Field("n", "Number", "EUR", "number", (), None, None, True, "why")
HOME = Field("h", "Home", "", "category", ("own", "rent", "1"), None, None, True, "why")
CLIENT = Field("c", "Client", "", "category", ("False", "True"), None, None, True, "why")
NEEDED = Field("n", "Number", "EUR", "number", (), None, None, False, "why")
LIMITED = structs.replace(NEEDED, lowest=0.0, highest=9.5)
NAN = math.nan
DECIMAL: Decimal = ".?"


@pytest.mark.parametrize(
    "column",
    [
        *(pa.array([1, 2, None], kind) for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64())),
        pa.array([decimal.Decimal("1.0"), decimal.Decimal("2.0"), None]),
        pa.array([1.0, 2.0, NAN]),
        pa.array([1.0, 2.0, None]).dictionary_encode(),
        pa.array(["1", "2.0", None]),
        pa.array(["1e0", "2", ""], pa.large_string()),
        pa.array(["1", "2.0", None], pa.string_view()),
        pa.array(["$1", "2 %", "n/a"]),
        pa.array([" 1 ", "+2", "NA"]),
        pa.array(["1", "2", "1"]).dictionary_encode().take(pa.array([0, 1, None])),
    ],
    ids=lambda column: str(column.type),
)
def test_a_number_may_have_any_numeric_type_or_be_a_text(column: pa.Array) -> None:
    """Each column is 1, 2, missing."""
    cells = read_column(column, NUMBER, DECIMAL)

    np.testing.assert_array_equal(cells.values, [1.0, 2.0, NAN])
    assert cells.faults == {}


@pytest.mark.parametrize(
    ("field", "column", "values"),
    [
        (HOME, pa.array(["own", "rent", "1", None]), [0, 1, 2, NAN]),
        (HOME, pa.array([" own", "rent ", "NA", ""]), [0, 1, NAN, NAN]),
        (HOME, pa.array(["rent", "own", None, "rent"]).dictionary_encode(), [1, 0, NAN, 1]),
        (HOME, pa.array([" rent", "own", None], pa.string_view()), [1, 0, NAN]),
        (HOME, pa.DictionaryArray.from_arrays([0, 1, None], pa.array(["1.0", None], pa.string_view())), [2, NAN, NAN]),
        (HOME, pa.array([1, None]), [2, NAN]),
        (HOME, pa.array([1.0, NAN, None]), [2, NAN, NAN]),
        (CLIENT, pa.array([True, False, None]), [1, 0, NAN]),
        (CLIENT, pa.array(["True", "False"]), [1, 0]),
        (HOME, pa.nulls(2), [NAN, NAN]),
        (HOME, pa.array([], pa.string()), []),
    ],
)
def test_a_level_becomes_its_index(field: Field, column: pa.Array, values: list[float]) -> None:
    """It may be a text, number, boolean or dictionary value."""
    cells = read_column(column, field, DECIMAL)

    np.testing.assert_array_equal(cells.values, values)
    assert cells.faults == {}


def test_a_level_named_like_a_missing_value_is_a_level() -> None:
    """Levels come before the words for a missing value."""
    field = Field("x", "X", "", "category", ("None", "some"), None, None, True, "why")

    np.testing.assert_array_equal(read_column(pa.array(["None", "NA"]), field, DECIMAL).values, [0.0, NAN])


@pytest.mark.parametrize(
    ("field", "column", "fault"),
    [
        (NUMBER, pa.array(["1", "x"]), "expected a number in EUR, got 'x'"),
        (NUMBER, pa.array(["1", "1_00"]), "expected a number in EUR, got '1_00'"),
        (NUMBER, pa.array(["1", "y" * 200]), f"expected a number in EUR, got '{'y' * 99}…"),
        (NUMBER, pa.array([1.0, math.inf]), "expected a number within ±1e+100, got inf"),
        (NUMBER, pa.array(["1", "-inf"]), "expected a number in EUR, got '-inf'"),
        (NUMBER, pa.array(["1", " nan(1)"]), "expected a number in EUR, got 'nan(1)'"),
        (NUMBER, pa.array(["1", "1e101"]), "expected a number within ±1e+100, got '1e101'"),
        (NUMBER, pa.array([1.0, -2e100]), "expected a number within ±1e+100, got -2e+100"),
        (HOME, pa.array(["own", "castle"]), "expected one of: own, rent, 1, got 'castle'"),
        (HOME, pa.array(["own", "castle"]).dictionary_encode(), "expected one of: own, rent, 1, got 'castle'"),
        (HOME, pa.array([1, 2]), "expected one of: own, rent, 1, got '2'"),
        (HOME, pa.array([1.0, 1.5]), "expected one of: own, rent, 1, got '1.5'"),
        (LIMITED, pa.array([1, -3]), "expected a number of at least 0, got -3"),
        (LIMITED, pa.array([0.0, 9.75]), "expected a number of at most 9.5, got 9.75"),
        (LIMITED, pa.array(["9.5", "-3"]), "expected a number of at least 0, got '-3'"),
        (LIMITED, pa.array(["$1", "-$3"]).dictionary_encode(), "expected a number of at least 0, got '-$3'"),
        (NEEDED, pa.array([1.0, None]), "missing; expected a number in EUR"),
        (NEEDED, pa.array(["1", "NA"]), "missing; expected a number in EUR"),
    ],
)
def test_an_invalid_cell_is_a_fault(field: Field, column: pa.Array, fault: str) -> None:
    """The fault has the value and what was expected; the value becomes NaN; other rows are not affected."""
    cells = read_column(column, field, DECIMAL)

    if field is HOME and pa.types.is_floating(column.type):
        assert cells.faults[1] == fault
    else:
        assert cells.faults == {1: fault}
    assert math.isnan(cells.values[1])


@pytest.mark.parametrize(
    ("field", "column"),
    [
        (NUMBER, pa.array([True])),
        (NUMBER, pa.array([[1.0]])),
        (HOME, pa.array([{"a": 1}])),
        (NUMBER, pa.array([b"1"])),
        (NUMBER, pa.array([0], pa.timestamp("s"))),
    ],
)
def test_a_column_type_that_can_not_hold_the_field_is_an_error(field: Field, column: pa.Array) -> None:
    """Nothing is scored."""
    with pytest.raises(ScoringError, match=r"is of type .*, expected (a number|one of)"):
        read_column(column, field, DECIMAL)


@given(value=st.none() | st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1))
def test_a_number_is_accepted_exactly_where_the_service_accepts_it(value: Any) -> None:
    """As the same float64."""
    cells = read_column(pa.array([value]), NEEDED, DECIMAL)

    try:
        read = read_applicants([{"n": value}], make_rules([NEEDED]), "").matrix[0, 0]
    except InvalidApplicants:
        assert list(cells.faults) == [0]
    else:
        assert (cells.faults, cells.values[0]) == ({}, read)


@given(words=st.lists(st.none() | st.sampled_from(["own", "rent", "", " own ", *MISSING_WORDS]) | st.text(max_size=4)))
def test_a_text_is_either_a_level_or_missing_or_a_fault(words: list[str | None]) -> None:
    """The same in text columns and dictionaries."""
    column = pa.array(words, pa.string())
    cells, of_dictionary = (read_column(one, HOME, DECIMAL) for one in (column, column.dictionary_encode()))

    np.testing.assert_array_equal(of_dictionary.values, cells.values)
    assert of_dictionary.faults == cells.faults
    for row, word in enumerate(words):
        text = (word or "").strip()
        assert (text in HOME.levels) == (not math.isnan(cells.values[row]))
        assert (text not in HOME.levels and text not in MISSING_WORDS) == (row in cells.faults)


@given(numbers=st.lists(st.floats(-1e100, 1e100)))
def test_the_text_of_a_number_is_the_number(numbers: list[float]) -> None:
    """The same bits."""
    cells = read_column(pa.array([repr(number) for number in numbers], pa.string()), NUMBER, DECIMAL)

    assert cells.values.tolist() == numbers


NUMBER_TEXTS = st.one_of(
    st.text(st.sampled_from("0123456789.,eE+-' $%_\u00a0"), max_size=9),
    st.from_regex(r"\A[+-]?[0-9]{1,4}[.,]?[0-9]{0,3}\Z"),
    st.sampled_from(["inf", "-Infinity", "nan(2)", "1e400", "-1e101", "1,300", "1.300", "1.000,5", "1,000.5", "€ 5"]),
    st.sampled_from(sorted(MISSING_WORDS)),
)
TEXTS = st.one_of(NUMBER_TEXTS, st.sampled_from(["own", "RENT", "true", "1.0", "False"]), st.text(max_size=4))


@given(
    field=st.sampled_from([NUMBER, NEEDED, LIMITED, HOME, CLIENT]),
    decimal=st.sampled_from([".", ",", ".?", "?"]),
    texts=st.lists(st.tuples(TEXTS, st.sampled_from(["", " ", "\t", "\u2003"])).map("".join), min_size=1, max_size=8),
    is_dictionary=st.booleans(),
)
def test_a_text_is_read_by_the_rule_of_the_vocabulary(
    field: Field, decimal: Decimal, texts: list[str], is_dictionary: bool
) -> None:
    """The same bits and the same faults, whatever else is in the column."""
    column = pa.array(texts, pa.string())

    cells = read_column(column.dictionary_encode() if is_dictionary else column, field, decimal)

    for row, text in enumerate(texts):
        expected, fault = NAN, None
        try:
            expected = read_cell(text, field, decimal)
        except CellError as error:
            fault = str(error)
        assert cells.faults.get(row) == fault
        assert np.float64(cells.values[row]).tobytes() == np.float64(expected).tobytes()
