"""scorecard.csv: a line for every bin and every cell of a pair."""

from __future__ import annotations

import csv
import io

from tests.train.points_table.scorecards import FIELDS, ODD, REQUIRED, SCORECARD, make_table
from train.points_table.csv_file import COLUMNS, render_csv


def test_every_bin_and_cell_has_a_line() -> None:
    """After the base; the ends of a bin of numbers are numbers, what isn't published is empty."""
    heads, base, *lines = csv.reader(io.StringIO(render_csv(make_table()).decode()))

    assert tuple(heads) == COLUMNS
    assert base == ["", "Base", "", "", "", "420", "", "", "", ""]
    assert [int(line[5]) for line in lines] == [
        *(points for bins in SCORECARD.fields for points in bins.points),
        *(points for pair in SCORECARD.pairs for row in pair.points for points in row),
    ]
    amount = ["Amount", FIELDS[0].label, "500 to under 1,200.5", "500.0", "1200.5", "20", "0.25", "0.1", "-0.5", "0.02"]
    assert lines[1] == amount
    assert lines[10] == [ODD, FIELDS[1].label, "missing or −9 or 99,999,999", "", "", "7", "", "", "", ""]
    home = ["Amount × Home", "Amount of the loan × Housing", "under 500 × own", "", "", "0", "", "", "", ""]
    assert lines[sum(len(bins.points) for bins in SCORECARD.fields)] == home


def test_a_field_that_is_never_missing_has_no_line_of_missing_values() -> None:
    """Nor have its pairs."""
    text = render_csv(make_table(fields=REQUIRED)).decode()
    _, _, *lines = csv.reader(io.StringIO(text))

    assert len(lines) == (4 + 6 + 3 + 2 + 5) + 4 * 3 + 5 * 6
    assert "missing" not in text
    assert [int(line[5]) for line in lines[20:32]] == [4 * row + column for row in range(4) for column in range(3)]
