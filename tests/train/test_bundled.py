"""The table that the pages pick applicants from is the one that the model never saw."""

from __future__ import annotations

from pathlib import Path

from model.loading import load_model
from train.card import read_card
from train.dataset import encode
from train.holdout import split
from train.table import read_table


def test_the_bundled_applicants_are_the_hold_out_of_the_artifact(root: Path, credit_card: Path) -> None:
    """The same rows, in the same order; after another split: write them again to data/credit_data_holdout.csv."""
    card = read_card(credit_card)
    training = load_model(root / "artifacts" / "model.onnx").contract.training
    every = encode(read_table(credit_card.parent / card.dataset.path), card)
    holdout = every.take(split(every.y, training.seed).holdout)

    bundled = encode(read_table(root / "data" / "credit_data_holdout.csv"), card)

    assert training.holdout_rows == len(bundled.y)
    assert holdout.X.tobytes() == bundled.X.tobytes()
    assert holdout.y.tolist() == bundled.y.tolist()
