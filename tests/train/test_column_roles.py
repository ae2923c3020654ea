"""What each column of a table is, and why it isn't used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.vocabulary import OTHER_LEVEL
from train.card_inference import Choices, infer_card
from train.card_notes import list_columns
from train.errors import TrainingError
from train.table import read_table

WriteTable = Callable[..., Path]
ROWS = 300
CHOICES = Choices("outcome", "number")


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (range(ROWS), "a row number or an id"),
        ([100_000 + 7 * row for row in range(ROWS)], "a row number or an id"),
        (["only"] * ROWS, "a constant: 'only' in every row"),
        ([7] * ROWS, "a constant: 7 in every row"),
        ([None] * ROWS, "empty"),
        ([f"2015-01-{row % 28 + 1:02}" for row in range(ROWS)], "a date"),
        ([f"{row % 28 + 1}.3.2015" for row in range(ROWS)], "a date"),
        ([f"{row % 28 + 1}-Mar-97" for row in range(ROWS)], "a date"),
        ([20150101 + row % 28 for row in range(ROWS)], "a date"),
        ([f"2015-{row % 12 + 1:02}" for row in range(ROWS)], "a date"),
        ([201501 + row % 12 for row in range(ROWS)], "a date"),
        ([f"2015Q{row % 4 + 1}" for row in range(ROWS)], "a date"),
        ([f"person {row}" for row in range(ROWS)], "names or free text: 300 distinct values in 300 rows"),
        ([f"{row:05}" for row in range(ROWS)], "a row number or an id"),
        ([5.5] * 10 + [None] * (ROWS - 10), "a value in fewer than 20 rows"),
    ],
)
def test_a_column_that_is_no_input_is_told_with_its_reason(write_table: WriteTable, column: Any, why: str) -> None:
    """It is in the card with use = false and a note."""
    table = read_table(write_table(extra=list(column)))

    card = infer_card(table, CHOICES)

    assert "extra" not in card.inputs
    assert list_columns(card, table)["extra"].startswith(f"Not used: {why}")


def test_a_copy_of_a_column_and_a_weight_are_no_inputs(write_table: WriteTable) -> None:
    """A copy may be written in another way."""
    amounts = read_table(write_table()).cells["amount"]
    path = write_table(again=[f"{float(amount):.9e}" for amount in amounts], sample_weight=[1, 5] * (ROWS // 2))

    card = infer_card(read_table(path), CHOICES)

    assert card.fields["again"].note in ("a copy of amount.", "")
    assert card.fields["sample_weight"].note == "a weight of the row, by its name: to train with it, --weight."


def test_a_code_with_leading_zeros_is_a_category(write_table: WriteTable) -> None:
    """00037 isn't 37."""
    card = infer_card(read_table(write_table(branch=["00037", "01234", "99999"] * (ROWS // 3))), CHOICES)

    assert card.fields["branch"].levels == ("00037", "01234", "99999")
    assert "a code" in card.fields["branch"].note.lower()


def test_rare_levels_share_one(write_table: WriteTable) -> None:
    """They are told, and so is that any later level goes there."""
    towns = [f"village {row}" if row % 10 == 0 else ("Rome", "Oslo")[row % 2] for row in range(ROWS)]

    card = infer_card(read_table(write_table(town=towns)), CHOICES)

    assert card.fields["town"].levels == ("Oslo", "Rome", OTHER_LEVEL)
    assert "30 rare levels share (other)" in card.fields["town"].note


def test_a_missing_word_in_a_column_of_words_is_a_level_and_told(write_table: WriteTable) -> None:
    """Unless a column of numbers shows that the table means a missing value by it."""
    words = ["NA", "FR", "None"] * (ROWS // 3)
    card = infer_card(read_table(write_table(country=words)), CHOICES)
    income: list[Any] = [None, *np.arange(ROWS - 1) * 1.5]
    with_na = write_table(country=words, extra=["NA" if cell is None else cell for cell in income])

    other = infer_card(read_table(with_na), CHOICES)

    assert card.fields["country"].levels == ("FR", "NA", "None")
    assert "'NA' (100 rows), 'None' (100 rows) taken as a level" in card.fields["country"].note
    assert other.fields["country"].levels == ("FR", "None")
    assert "'NA' (100 rows) taken as missing" in other.fields["country"].note


@pytest.mark.parametrize("bad", ["unknown", "inf", "1e999", "12..5", "1,5,0"])
def test_a_cell_that_is_no_number_stops_with_its_line_and_the_choices(write_table: WriteTable, bad: str) -> None:
    """Read as missing if told."""
    cells = [*np.arange(ROWS - 1) * 1.25, bad]
    table = read_table(write_table(extra=cells))

    with pytest.raises(TrainingError, match=r"column 'extra' has 1 cell .* line 301: .*--bad-cells missing.*--ignore"):
        infer_card(table, CHOICES)
    card = infer_card(table, Choices("outcome", "number", bad_cells="missing"))
    assert (card.fields["extra"].kind, card.fields["extra"].nullable) == ("number", True)


def test_levels_that_look_like_numbers_stay_levels(write_table: WriteTable) -> None:
    """0, 1, 2, 3+: few numbers, so that 3+ isn't a typing error."""
    card = infer_card(read_table(write_table(children=["0", "1", "2", "3+"] * (ROWS // 4))), CHOICES)

    assert card.fields["children"].levels == ("0", "1", "2", "3+")


@pytest.mark.parametrize("code", [-999, 9999, 99999])
def test_a_code_for_a_missing_value_is_proposed_as_missing_unless_allowed(write_table: WriteTable, code: int) -> None:
    """It is told with its rows; the bounds are those of all others."""
    table = read_table(write_table(extra=[code if row % 5 == 0 else row + 0.5 for row in range(ROWS)]))

    field = infer_card(table, CHOICES).fields["extra"]
    allowed = infer_card(table, Choices("outcome", "number", allowed=frozenset({"extra"}))).fields["extra"]

    assert (field.missing, field.nullable, field.minimum, field.maximum) == ((code,), True, 1.0, 300.0)
    assert field.note == (f"{code} in 60 rows, all others from 1.5 to 299.5: most likely a code for a missing value.")
    assert (allowed.missing, allowed.nullable, allowed.note) == ((), False, "")
    assert allowed.minimum is not None
    assert allowed.maximum is not None
    assert allowed.minimum <= code <= allowed.maximum


@pytest.mark.parametrize("name", ["in\ncome", "a\tb", "x\x00y", "line\u2028end"])
def test_control_characters_in_a_name_are_refused(write_table: WriteTable, name: str) -> None:
    """Not every door could carry them."""
    path = write_table(**{name: np.arange(ROWS) % 50 + 0.5})
    if "\x00" in name:
        with pytest.raises(TrainingError, match="zero byte"):
            read_table(path)
        return

    with pytest.raises(TrainingError, match="control character in its name; rename it"):
        infer_card(read_table(path), CHOICES)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody could tell which is meant."""
    path = tmp_path / "t.csv"
    path.write_text("x,y,x,outcome\n" + "1,2,3,0\n" * 30)

    with pytest.raises(TrainingError, match="several columns 'x'; rename or remove all but one"):
        infer_card(read_table(path), Choices("outcome"))
