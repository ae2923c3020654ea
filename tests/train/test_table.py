"""Tables: Parquet says the same as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from train.dataset import encode
from train.errors import TrainingError
from train.infer import infer_card
from train.table import read_table


def as_parquet(path: Path) -> Path:
    """The same table as Parquet, with the types it shows."""
    target = path.with_suffix(".parquet")
    pd.read_csv(path).to_parquet(target)
    return target


def test_parquet_gives_the_same_card_and_the_same_matrix(write_table: Callable[..., Path]) -> None:
    """Numbers with gaps, whole numbers, texts, booleans, a target and an id."""
    path = write_table(whole=np.arange(300) % 7)
    card = infer_card(read_table(path), "outcome", "number", None)

    table = read_table(as_parquet(path))

    again = infer_card(table, "outcome", "number", None)
    assert card.fields == again.fields
    expected, actual = encode(read_table(path), card), encode(table, again)
    np.testing.assert_array_equal(expected.X, actual.X)
    np.testing.assert_array_equal(expected.y, actual.y)


def test_a_target_and_an_id_with_gaps_are_still_whole_numbers(write_table: Callable[..., Path]) -> None:
    """pandas makes floating-point numbers of whole ones with gaps: the text is 1, not 1.0."""
    table = read_table(as_parquet(write_table(outcome=[None, *([0, 1] * 149), 0])))

    assert {"0", "1"} == set(table.texts("outcome", "the target").dropna())


def test_a_file_that_isnt_parquet_is_said(tmp_path: Path) -> None:
    """With its path."""
    path = tmp_path / "loans.parquet"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(TrainingError, match=r"loans\.parquet is not a Parquet file"):
        read_table(path)


def test_a_row_of_parquet_is_counted_from_one(write_table: Callable[..., Path]) -> None:
    """It has no header line."""
    path = write_table()

    assert 2 == read_table(path).line(0)
    assert 1 == read_table(as_parquet(path)).line(0)
