"""The card's part about scorecards: how they are fitted, and bins that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.card import format_card, read_card
from train.card_scorecard import CardBinning, CardScorecard
from train.errors import TrainingError

CARD = """
[dataset]
name = "loans"
path = "loans.csv"
target = "bad"
default = 1
{scorecard}
[fields.Income]
label = "Income"
kind = "number"
reason = "Low income"
{income}
[fields.Home]
label = "Home"
kind = "category"
levels = ["own", "rent", "free"]
reason = "Housing"
{home}
"""


def write(folder: Path, scorecard: str = "", income: str = "", home: str = "") -> Path:
    """A card with these parts."""
    path = folder / "card.toml"
    path.write_text(CARD.format(scorecard=scorecard, income=income, home=home))
    return path


def test_bins_and_settings_read_back_the_same(tmp_path: Path) -> None:
    """And a card without them is written without them."""
    path = write(
        tmp_path,
        "[scorecard]\nmax_bins = 6\npairs = 2",
        "binning = { edges = [10, 20.5] }",
        'binning = { groups = [["own", "free"], ["rent"]] }',
    )
    card = read_card(path)
    path.write_bytes(format_card(card))

    assert read_card(path) == card
    assert card.scorecard == CardScorecard(6, 2)
    assert card.fields["Income"].binning == CardBinning(edges=(10.0, 20.5))
    assert card.fields["Home"].binning == CardBinning(groups=(("own", "free"), ("rent",)))
    assert b"scorecard" not in format_card(read_card(write(tmp_path)))


@pytest.mark.parametrize(
    ("income", "home", "message"),
    [
        ("binning = { edges = [20, 10] }", "", "edge 20 before 10.*ascending"),
        ("binning = { edges = [10, 10] }", "", "edge 10 before 10.*ascending"),
        ("binning = { edges = [nan] }", "", "isn't finite"),
        ('binning = { groups = [["own"]] }', "", "is a number, whose binning needs edges"),
        ("binning = { edges = [] }", "", "is a number, whose binning needs edges"),
        ("", "binning = { edges = [1] }", "is a category, whose binning needs groups"),
        ("", 'binning = { groups = [["own", "rent"], ["free", "mine"]] }', "'mine'.*none of its levels"),
        ("", 'binning = { groups = [["own", "rent"], ["free", "own"]] }', "'own' twice"),
        ("", 'binning = { groups = [["own"], ["rent"]] }', "no group for 'free'"),
        ("", 'binning = { groups = [["own", "rent", "free"], []] }', "empty group"),
    ],
)
def test_a_fault_in_bins_is_named(tmp_path: Path, income: str, home: str, message: str) -> None:
    """With what to correct."""
    path = write(tmp_path, "", income, home)

    with pytest.raises(TrainingError, match=message):
        read_card(path)


@pytest.mark.parametrize("setting", ["max_bins = 1", "max_bins = 51", "pairs = -1", "bins = 3"])
def test_a_setting_out_of_range_is_refused(tmp_path: Path, setting: str) -> None:
    """An unknown one too."""
    path = write(tmp_path, f"[scorecard]\n{setting}")

    with pytest.raises(TrainingError, match="can't be used"):
        read_card(path)
