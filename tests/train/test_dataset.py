"""Encoding of a table as a matrix, and its errors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec import structs

from train.card import Card, CardDataset, CardField
from train.contract import make_field
from train.dataset import decode_column, encode_group, encode_table, encode_weight
from train.errors import TrainingError
from train.table import read_table

NUMBER = CardField(label="n", kind="number", reason="r")
GAPPY = CardField(label="n", kind="number", nullable=True, reason="r")
COLOUR = CardField(label="c", kind="category", levels=("red", "blue"), nullable=True, reason="r")


def card(**fields: CardField) -> Card:
    return Card(CardDataset("t", "t.csv", "y", 1, "id"), fields)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a table of 20 defaults and 20 goods with these cells of `x` in its first rows, '1' in the others."""

    def write(*cells: str) -> Path:
        values = [*cells, *["1"] * (40 - len(cells))]
        path = tmp_path / "t.csv"
        lines = [f"{row},{value},{row % 2}" for row, value in enumerate(values)]
        path.write_text("\n".join(["id,x,y", *lines]))
        return path

    return write


def test_numbers_are_the_floats_nearest_to_their_text(write: Callable[..., Path]) -> None:
    """The same float64 as a JSON parser gives for the text."""
    texts = ["0.1", "1e-300", "123456789.123456789", "5e-324", " 7 ", "-0.30000000000000004"]

    data = encode_table(read_table(write(*texts)), card(x=NUMBER))

    assert data.X[: len(texts), 0].tolist() == [float(text) for text in texts]


def test_a_category_is_the_index_of_its_level_and_a_missing_value_is_nan(write: Callable[..., Path]) -> None:
    """The order of the levels is the card's, not the table's."""
    path = write(*["blue", "red", "", "NA"] * 10)

    data = encode_table(read_table(path), card(x=COLOUR))

    np.testing.assert_array_equal(data.X[:4, 0], [1.0, 0.0, np.nan, np.nan])
    assert data.y[:4].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("cells", "field", "message"),
    [
        (("1", "abc"), NUMBER, "in line 3 of .*: expected a number, got 'abc'"),
        (("1", "2", "inf"), NUMBER, "in line 4 of .*: expected a number, got 'inf'"),
        (("",), NUMBER, "in line 2 of .*: missing; expected a number"),
        (("",) * 30, GAPPY, "has a value in only 10 rows"),
        (("red", "green"), COLOUR, "in line 3 of .*: expected one of: red, blue, got 'green'"),
    ],
)
def test_an_invalid_cell_is_reported_with_its_line(
    write: Callable[..., Path], cells: tuple[str, ...], field: CardField, message: str
) -> None:
    """The message gives value and line."""
    table = read_table(write(*cells))

    with pytest.raises(TrainingError, match=message):
        encode_table(table, card(x=field))


def test_the_hash_is_of_the_files_bytes(write: Callable[..., Path]) -> None:
    """As sha256sum computes it."""
    path = write()

    assert read_table(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("cells", "got"),
    [(pd.Series(["0", "-3", "9"]), "'-3'"), (pd.Series([0.0, -3.0, 9.0]), "-3")],
    ids=["texts", "floats"],
)
def test_a_number_beyond_the_limits_of_its_field_is_a_fault(cells: pd.Series[Any], got: str) -> None:
    """The limit itself is read."""
    decoded = decode_column(cells, structs.replace(make_field("n", NUMBER), lowest=0.0), ".")

    np.testing.assert_array_equal(decoded.values, [0.0, np.nan, 9.0])
    assert decoded.faults == {1: f"expected a number of at least 0, got {got}"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("2", "0"), "the weight 'x' is '0' in line 3 of .*, expected a number above 0"),
        (("-1",), "the weight 'x' is '-1' in line 2"),
        (("many",), "the weight 'x' is 'many' in line 2"),
        (("2", ""), "the weight 'x' is '' in line 3"),
        (("2", "inf"), "the weight 'x' is 'inf' in line 3"),
    ],
)
def test_a_weight_that_is_no_number_above_0_is_told(
    write: Callable[..., Path], cells: tuple[str, ...], message: str
) -> None:
    """With its line and value."""
    with pytest.raises(TrainingError, match=message):
        encode_weight(read_table(write(*cells)), "x")


def test_weights_have_a_mean_of_1_whatever_their_unit(write: Callable[..., Path]) -> None:
    """Their ratios are those of the table."""
    small, large = (encode_weight(read_table(write(*cells)), "x") for cells in (["3"], ["3e6", *["1e6"] * 39]))

    assert small.mean() == pytest.approx(1)
    assert small[0] / small[1] == pytest.approx(3)
    np.testing.assert_allclose(small, large)


@pytest.mark.parametrize("unit", ["1e307", "4e307", "1e-320", "1"])
def test_huge_and_tiny_weights_are_scaled_as_others(write: Callable[..., Path], unit: str) -> None:
    """Their sum may be infinite, and they may be subnormal."""
    found = encode_weight(read_table(write(*[unit] * 39, str(2 * float(unit)))), "x")

    np.testing.assert_allclose(found[[0, -1]], [40 / 41, 80 / 41], rtol=1e-3)


def test_a_weight_that_counts_for_nothing_beside_another_is_told(write: Callable[..., Path]) -> None:
    """With both, and what is expected."""
    with pytest.raises(TrainingError, match=r"goes from 1 to 1e\+13: .* expected at least 1e-12 of it"):
        encode_weight(read_table(write("1e13")), "x")


def test_groups_are_numbered_and_must_be_named(write: Callable[..., Path]) -> None:
    """Rows with the same text are of one group; an empty cell is told."""
    assert encode_group(read_table(write("a", "b", "a")), "x").tolist() == [0, 1, 0, *[2] * 37]

    with pytest.raises(TrainingError, match="the group 'x' is empty in line 3"):
        encode_group(read_table(write("a", "")), "x")
