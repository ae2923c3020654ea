"""Which applicants of a table were accepted: what is read, what is asked, and what is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.accepted import Acceptance, find_accepted, infer_accepted
from train.arguments import parse
from train.card import CardValue
from train.errors import TrainingError
from train.source import Source, open_source
from train.table import Table


def make_table(cells: list[str], outcomes: list[str] | None = None) -> Table:
    """A table of these values of the column Approved."""
    frame = pd.DataFrame({"Approved": cells, "outcome": outcomes or [""] * len(cells)}, dtype=str)
    return Table(Path("door.csv"), "sha", frame, np.arange(2, len(cells) + 2), None, ".")


@pytest.mark.parametrize(
    ("values", "column", "accepted"),
    [
        (("Declined", "Approved"), "status", "Approved"),
        (("0", "1"), "Approved", "1"),
        (("No", "yes"), "is_accepted", "yes"),
        (("True", "False"), "loan_granted", "True"),
        (("open", "rejected"), "status", "open"),
        (("0", "1"), "rejected", None),
        (("0", "1"), "status", None),
        (("no", "yes"), "not_approved", None),
        (("approved", "funded"), "status", None),
        (("0", "1", "2"), "approved", None),
    ],
)
def test_only_what_everybody_reads_one_way_is_taken(values: tuple[str, ...], column: str, accepted: str | None) -> None:
    """Words of acceptance in any column; yes and 1 in one that is named for acceptance."""
    assert find_accepted(values, column) == accepted


WORDS = ("yes", "no", "1", "0", "accepted", "declined", "True", "false", "booked", "x")


@given(st.permutations(WORDS).map(lambda words: words[:2]), st.sampled_from(["approved", "rejected", "status"]))
def test_the_order_of_the_values_does_not_matter(values: list[str], column: str) -> None:
    """The answer is one of the two, or none."""
    found = find_accepted(values, column)

    assert found == find_accepted(values[::-1], column)
    assert found in (None, *values)


@pytest.mark.parametrize(
    ("cells", "value", "flags"),
    [
        (["yes", "no", "Yes"], "yes", [True, False, True]),
        (["1", "0", "1.0"], 1, [True, False, True]),
        (["TRUE", "false"], True, [True, False]),
        (["booked", "declined", "withdrawn"], "booked", [True, False, False]),
    ],
)
def test_all_other_values_mean_rejected(cells: list[str], value: CardValue, flags: list[bool]) -> None:
    """As text in any case, number or boolean."""
    assert Acceptance("Approved", value).flag(make_table(cells)).tolist() == flags


def test_what_is_left_out_is_told() -> None:
    """Each of the other values with its rows, and outcomes that rejected applicants have."""
    table = make_table(["yes", "no", "no", "withdrawn"], ["bad", "good", "", ""])

    kept = Acceptance("Approved", "yes").keep(table, "outcome")

    assert kept.lines.tolist() == [2]
    assert kept.notes == (
        "Accepted: 1 of 4 applicants (Approved = 'yes'), whose outcomes alone count; the others: no 2, withdrawn 1; 1 "
        "of these have an outcome in the table, which isn't used",
    )


def test_what_can_not_be_told_is_asked() -> None:
    """With the values that were found, and the option that answers."""
    with pytest.raises(TrainingError, match=r"'a' \(2 rows\), 'b' \(1 rows\).* can't be told; say which: --accepted-v"):
        infer_accepted(make_table(["a", "b", "a"]), "Approved")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["yes", "", "no"], "'Approved', whether an applicant was accepted, is empty in 1 of 3 rows .* row 3"),
        (["0", "1"], "no row of door.csv has 'Approved' = 'yes', the value for accepted; its values are '0', '1'"),
    ],
)
def test_cells_that_do_not_tell_are_named(cells: list[str], message: str) -> None:
    """Nobody is taken as rejected by mistake."""
    with pytest.raises(TrainingError, match=message):
        Acceptance("Approved", "yes").flag(make_table(cells))


def open_door(folder: Path, *options: str) -> Source:
    """What `python -m train` reads of 60 applicants, of whom every third was rejected."""
    rows = np.arange(60)
    outcome = np.where(rows % 3 == 0, "", np.where(rows % 2 == 0, "bad", "good"))
    outcome[1] = ""
    frame = pd.DataFrame({"x": rows * 1.5, "home": np.where(rows == 0, "tent", "house"), "outcome": outcome})
    frame.insert(0, "approved", np.where(rows % 3 == 0, 0, 1))
    frame.to_csv(folder / "door.csv", index=False)
    data = ("--data", str(folder / "door.csv"), "--target", "outcome", "--out", str(folder))
    return open_source(parse([*data, *options]))


def test_the_card_says_who_was_accepted(tmp_path: Path) -> None:
    """The column is no field; only accepted applicants without an outcome are left out."""
    source = open_door(tmp_path, "--accepted", "approved", "--drop-unlabelled")

    dataset = source.card.dataset
    assert (dataset.accepted, dataset.accepted_value, list(source.card.fields)) == ("approved", "1", ["x", "home"])
    assert source.rejected is not None
    assert (len(source.table.lines), len(source.rejected.lines)) == (39, 20)


def test_a_value_needs_a_column(tmp_path: Path) -> None:
    """Which it is a value of."""
    with pytest.raises(TrainingError, match="has accepted_value but no accepted"):
        open_door(tmp_path, "--accepted-value", "1")


def test_upper_and_lower_case_of_a_value_are_the_same() -> None:
    """As in evaluate: No, YES, no and yes are two values."""
    acceptance = Acceptance("Approved", infer_accepted(make_table(["No", "YES", "no", "yes"]), "Approved"))
    assert acceptance.flag(make_table(["No", "YES", "no", "yes"])).tolist() == [False, True, False, True]


def test_one_value_alone_is_asked_about() -> None:
    """Whether everybody or nobody was accepted is not guessed."""
    with pytest.raises(TrainingError, match="only the value"):
        infer_accepted(make_table(["yes", "Yes"]), "Approved")


def test_the_hint_names_a_value_that_looks_like_accepted() -> None:
    """Not the first in order."""
    with pytest.raises(TrainingError, match="--accepted-value Yes "):
        infer_accepted(make_table(["No", "Yes", "Sold"]), "Approved")
