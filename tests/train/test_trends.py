"""Numbers that move with time are found, seasons and noise aren't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from train.card_inference import Choices, infer_card
from train.card_notes import advise, list_columns
from train.dataset import encode_table
from train.table import read_table
from train.trends import draw_rows, list_moving, moves_with

ROWS = 3_000
DAYS = np.random.default_rng(0).integers(0, 2_000, ROWS)
NOISE = np.random.default_rng(1).normal(size=ROWS)


@pytest.mark.parametrize(
    ("values", "moves"),
    [
        (DAYS, True),
        (-DAYS, True),
        ((DAYS + 90) // 365, True),
        (np.exp(DAYS / 500), True),
        (DAYS + NOISE, True),
        (np.where(NOISE > 1, np.nan, DAYS), True),
        (DAYS // 30 % 12, False),
        (DAYS + 500 * NOISE, False),
        (NOISE, False),
        (DAYS > 1_000, False),
        (np.where(DAYS > 1_500, np.round(9 * NOISE), 0), False),
        (np.where(DAYS.max() == DAYS, 7.0, 1.0), False),
        (np.full(ROWS, np.nan), False),
    ],
)
def test_what_moves_with_the_time(values: np.ndarray, moves: bool) -> None:
    """Years, fiscal years, counters and indices; no month of the year, new field, outlier or change."""
    assert moves_with(values.astype(float), DAYS) is moves


@given(seed=st.integers(0, 10_000), rows=st.integers(20, 200), levels=st.integers(2, 30), days=st.integers(1, 90))
def test_unrelated_numbers_dont_move(seed: int, rows: int, levels: int, days: int) -> None:
    """Of tables of any size, few or many of them."""
    random = np.random.default_rng(seed)

    assert not moves_with(random.integers(0, levels, rows).astype(float), random.integers(0, days + 1, rows))


def test_a_sample_of_a_long_table_is_compared() -> None:
    """Always the same one."""
    assert len(draw_rows(900_000)) == 20_000
    np.testing.assert_array_equal(draw_rows(900_000), draw_rows(900_000))
    assert set(draw_rows(50)) == set(range(50))


def test_such_columns_are_no_inputs_unless_allowed(write_table: Callable[..., Path]) -> None:
    """And told with the time; of a card that people wrote they are listed only."""
    days = np.random.default_rng(0).permutation(300) * 4
    dates = np.datetime64("2001-01-01") + days
    path = write_table(applied=dates.astype(str), FY=dates.astype("datetime64[Y]").astype(str))
    table = read_table(path)
    choices = Choices("outcome", "number", validation={"time": "applied"})

    card = infer_card(table, choices)
    kept = infer_card(table, structs.replace(choices, allowed=frozenset({"FY"})))

    assert list_columns(card, table)["FY"].startswith("Not used: moves with the time applied: every later applicant")
    assert advise("FY", card.fields["FY"], is_inferred=True) == " --allow FY keeps it as an input."
    assert list_moving(encode_table(table, card), card.inputs) == []
    assert "FY" in kept.inputs
    fields = kept.fields | {"FY": structs.replace(kept.fields["FY"], allow=False)}
    written = structs.replace(kept, fields=fields)
    assert list_moving(encode_table(table, written), written.inputs) == ["FY"]
    assert "FY" in infer_card(table, Choices("outcome", "number")).inputs
