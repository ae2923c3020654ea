"""Reading of tables: Parquet gives the same as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from train.card_inference import infer_card
from train.dataset import encode_table
from train.errors import TrainingError
from train.table import read_table


def as_parquet(path: Path) -> Path:
    """The same table as Parquet, with the types that pandas infers."""
    target = path.with_suffix(".parquet")
    pd.read_csv(path).to_parquet(target)
    return target


def test_parquet_gives_the_same_card_and_the_same_matrix(write_table: Callable[..., Path]) -> None:
    """Floats with missing values, whole numbers, texts, booleans, a target and an id."""
    path = write_table(whole=np.arange(300) % 7)
    card = infer_card(read_table(path), "outcome", "number", None)

    table = read_table(as_parquet(path))

    again = infer_card(table, "outcome", "number", None)
    assert again.fields == card.fields
    expected, actual = encode_table(read_table(path), card), encode_table(table, again)
    np.testing.assert_array_equal(actual.X, expected.X)
    np.testing.assert_array_equal(actual.y, expected.y)


def test_a_target_with_missing_values_keeps_whole_numbers(write_table: Callable[..., Path]) -> None:
    """pandas reads it as float64; its text is 1, not 1.0."""
    table = read_table(as_parquet(write_table(outcome=[None, *([0, 1] * 149), 0])))

    assert set(table.texts("outcome", "the target").dropna()) == {"0", "1"}


def test_a_file_that_isnt_parquet_is_refused(tmp_path: Path) -> None:
    """The message gives its path."""
    path = tmp_path / "loans.parquet"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(TrainingError, match=r"loans\.parquet is not a Parquet file"):
        read_table(path)


def test_lines_count_the_header_of_csv_but_rows_of_parquet(write_table: Callable[..., Path]) -> None:
    """The first row is in line 2 of a CSV file, and is row 1 of a Parquet file."""
    path = write_table()

    assert read_table(path).line(0) == 2
    assert read_table(as_parquet(path)).line(0) == 1
