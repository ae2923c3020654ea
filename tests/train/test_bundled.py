"""data/credit_data_holdout.csv, from which the pages offer applicants."""

from __future__ import annotations

from pathlib import Path

from model.loading import load_model
from train.card import read_card
from train.dataset import encode_table
from train.holdout import split_rows
from train.table import read_table


def test_the_bundled_applicants_are_the_hold_out_of_the_artifact(root: Path, credit_card: Path) -> None:
    """The same rows in the same order; if the split changes, data/credit_data_holdout.csv must be written again."""
    card = read_card(credit_card)
    training = load_model(root / "artifacts" / "model.onnx").contract.training
    every = encode_table(read_table(credit_card.parent / card.dataset.path), card)
    holdout = every.take(split_rows(every.y, training.seed).holdout_rows)

    bundled = encode_table(read_table(root / "data" / "credit_data_holdout.csv"), card)

    assert len(bundled.y) == training.holdout_rows
    assert bundled.X.tobytes() == holdout.X.tobytes()
    assert bundled.y.tolist() == holdout.y.tolist()
