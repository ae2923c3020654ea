"""Applicants with known outcomes: weights by card and option."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from tests.conftest import small_table
from train.card import format_card, read_card
from train.errors import TrainingError
from train.outcomes import Outcomes, add_outcome_options, open_outcomes


@pytest.fixture
def card(loans: Path, tmp_path: Path) -> Path:
    """A card with the weight w, of a table that has w and v."""
    rows = np.arange(60)
    small_table(60).assign(w=1 + rows % 2, v=1.0).to_csv(tmp_path / "loans.csv", index=False)
    known = read_card(loans / "loans.toml")
    path = tmp_path / "loans.toml"
    path.write_bytes(
        format_card(structs.replace(known, dataset=structs.replace(known.dataset, path="loans.csv", weight="w")))
    )
    return path


def read(*arguments: str) -> Outcomes:
    """What the options of a command give."""
    parser = argparse.ArgumentParser()
    add_outcome_options(parser)
    return open_outcomes(parser.parse_args(arguments), [])


def test_the_weight_of_the_card_counts_unless_another_is_given(card: Path) -> None:
    """Scaled to a mean of 1, and told."""
    by_card, by_option = read("--data", str(card)), read("--data", str(card), "--weight", "v")

    assert by_card.weight == pytest.approx(np.tile([2 / 3, 4 / 3], 30))
    assert by_option.weight == pytest.approx(np.ones(60))
    assert (by_card.table.notes, by_option.table.notes) == (("Weighted by 'w'.",), ("Weighted by 'v'.",))


def test_a_weight_that_the_table_lacks_is_told(card: Path) -> None:
    """Of a card it is left out; one that was asked for is an error."""
    small_table(60).to_csv(card.parent / "loans.csv", index=False)

    outcomes = read("--data", str(card))
    assert outcomes.weight is None
    assert outcomes.table.notes[0].endswith("has no column 'w'.")
    with pytest.raises(TrainingError, match=r"has no column 'x' \(the weight\)"):
        read("--data", str(card), "--weight", "x")
