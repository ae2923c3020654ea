"""The target: only what everybody reads one way is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from train.errors import TrainingError
from train.table import Table, read_table
from train.target import encode_target, find_unlabelled, infer_default, is_same


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Table]:
    """A table of 60 rows whose target takes these values in turn."""

    def write(*values: str, target: str = "outcome") -> Table:
        path = tmp_path / "t.csv"
        path.write_text(f"x,{target}\n" + "".join(f"{row},{values[row % len(values)]}\n" for row in range(60)))
        return read_table(path)

    return write


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("0", "1"), "1"),
        (("0.0", "1.0"), "1.0"),
        (("good", "bad"), "bad"),
        (("Fully Paid", "Charged Off"), "Charged Off"),
        (("P I F", "CHGOFF"), "CHGOFF"),
        (("non-default", "default"), "default"),
        (("False", "True"), "True"),
    ],
)
def test_values_that_everybody_reads_one_way_are_taken(
    write: Callable[..., Table], values: tuple[str, str], expected: str
) -> None:
    """In either order."""
    assert infer_default(write(*values), "outcome") == expected
    assert infer_default(write(*values[::-1]), "outcome") == expected


@pytest.mark.parametrize("values", [("1", "2"), ("-1", "1"), ("A", "B"), ("yes", "no"), ("N", "Y"), ("good", "paid")])
def test_values_that_can_be_read_two_ways_are_asked_with_their_counts(
    write: Callable[..., Table], values: tuple[str, str]
) -> None:
    """Both options stand in the message."""
    with pytest.raises(TrainingError, match=r"30 rows.*30 rows.*say which: --default \S+ or --default \S+"):
        infer_default(write(*values), "outcome")


@pytest.mark.parametrize("name", ["good", "repaid", "loan_approved", "is_performing"])
def test_a_target_named_after_the_good_outcome_is_asked(write: Callable[..., Table], name: str) -> None:
    """There 1 most likely means good."""
    with pytest.raises(TrainingError, match="can't be told"):
        infer_default(write("0", "1", target=name), name)


@pytest.mark.parametrize("word", ["", "NA", "null"])
def test_rows_without_an_outcome_are_counted_and_dropped_when_told(write: Callable[..., Table], word: str) -> None:
    """One row in three has none."""
    table = write("0", "1", word)

    with pytest.raises(TrainingError, match=r"missing in 20 of 60 rows .*first in line 4; .*--drop-unlabelled"):
        encode_target(table, "outcome", "1")
    assert encode_target(table.drop(find_unlabelled(table, "outcome")), "outcome", "1").tolist() == [0, 1] * 20


@pytest.mark.parametrize(
    ("values", "default", "message"),
    [
        (("0", "1", "2"), 1, r"3 distinct values \('0' \(20\), '1' \(20\), '2' \(20\)\), expected two"),
        (("0", "1"), 7, "no row of .* has the target 'outcome' = 7"),
        ((*"0" * 59, "1"), 1, "has 1 defaults in 60 rows, expected at least 20"),
    ],
)
def test_a_target_that_cant_be_learned_is_refused(
    write: Callable[..., Table], values: tuple[str, ...], default: int, message: str
) -> None:
    """The message gives the values found."""
    with pytest.raises(TrainingError, match=message):
        encode_target(write(*values), "outcome", default)


@pytest.mark.parametrize(
    ("cell", "value", "expected"),
    [("1", 1, True), ("1.0", 1, True), ("True", True, True), ("bad", "bad", True), ("0", 1, False), ("x", 1, False)],
)
def test_the_cards_default_matches_however_the_table_writes_it(cell: str, value: int | str, expected: bool) -> None:
    """1 and 1.0, True and true are the same value."""
    assert is_same(cell, value) is expected
