"""How the rejected are read: they may lack what the model needs, and count on the scale of the accepted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from train.card import Card, CardDataset, CardField
from train.errors import TrainingError
from train.rejects.door import UNKNOWN, read_rejected
from train.table import Table

FIELDS = {
    "x": CardField("X", "number", reason="High x"),
    "home": CardField("Home", "category", levels=("own", "rent"), reason="Home"),
}
CARD = Card(CardDataset("door", "door.csv", "outcome", "bad", weight="w"), FIELDS)


def split(x: list[str]) -> tuple[Table, Table]:
    """Two accepted and two rejected applicants; x: of the rejected."""
    cells = pd.DataFrame({"x": ["1", "2", *x], "home": ["own", "rent", "tent", ""], "w": ["2", "4", "6", "3"]})
    whole = Table(Path("door.csv"), "sha", cells, np.arange(2, 6), None, ".")
    is_rejected = np.array([False, False, True, True])
    return whole.drop(~is_rejected), whole.drop(is_rejected)


def test_levels_and_missing_values_of_the_rejected_alone_are_taken() -> None:
    """They are no training rows; weights are in units of the mean accepted one."""
    group = read_rejected(*split(["5", ""]), CARD)

    np.testing.assert_array_equal(group.X, [[5, UNKNOWN], [np.nan, np.nan]])
    assert group.weight.tolist() == [2, 1]


def test_a_cell_that_is_no_number_is_named() -> None:
    """As in any other row."""
    with pytest.raises(TrainingError, match=r"'x' in row 5 of door\.csv, of a rejected applicant: .* got 'many'"):
        read_rejected(*split(["5", "many"]), CARD)
