"""Cross-validation of a candidate, and the choice of the best trial."""

from __future__ import annotations

from pathlib import Path

from train.candidates import CANDIDATES
from train.card import read_card
from train.cross_validation import Fold, Trial, best_trial, cross_validate
from train.dataset import encode_table
from train.folds import FOLDS
from train.holdout import split_rows
from train.table import read_table

MIN_AUC = 0.842
MAX_LOG_LOSS = 0.429


def test_boosting_reaches_its_quality_on_credit_data(credit_card: Path) -> None:
    """Five-fold AUC and log loss on credit_data, without the protected fields; `on_fold` is called for each fold."""
    card = read_card(credit_card)
    data = encode_table(read_table(credit_card.parent / card.dataset.path), card)
    folds: list[int] = []

    trial = cross_validate(CANDIDATES["boosting"], data, list(card.inputs.values()), 0, lambda: folds.append(1))

    assert trial.auc >= MIN_AUC
    assert trial.log_loss <= MAX_LOG_LOSS
    assert len(folds) == FOLDS


def test_the_same_seed_gives_the_same_trial(credit_card: Path) -> None:
    """The folds and the fit depend on the seed alone."""
    card = read_card(credit_card)
    every = encode_table(read_table(credit_card.parent / card.dataset.path), card)
    data = every.take(split_rows(every.y, 0).training_rows)
    fields = list(card.inputs.values())

    one, two = (cross_validate(CANDIDATES["logistic"], data, fields, 5) for _ in range(2))

    assert one == two


def test_the_smallest_log_loss_is_chosen_whatever_the_auc() -> None:
    """A trial with a better AUC but a worse log loss loses."""
    worse = Trial(CANDIDATES["logistic"], {}, (Fold(log_loss=0.5, auc=0.9),))
    better = Trial(CANDIDATES["boosting"], {}, (Fold(log_loss=0.4, auc=0.8),))

    assert best_trial([worse, better]) is better
