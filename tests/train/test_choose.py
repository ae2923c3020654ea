"""The choice of a model by cross-validation."""

from __future__ import annotations

from pathlib import Path

from train.candidates import CANDIDATES
from train.card import read_card
from train.choose import FOLDS, Fold, Trial, choose, try_candidate
from train.dataset import encode
from train.holdout import split
from train.table import read_table

LEAST_AUC = 0.842
MOST_LOG_LOSS = 0.429


def test_boosting_reaches_its_quality_on_credit_data(credit_card: Path) -> None:
    """Five-fold AUC and log loss over all of credit_data, without the protected fields."""
    card = read_card(credit_card)
    data = encode(read_table(credit_card.parent / card.dataset.path), card)
    folds: list[int] = []

    trial = try_candidate(CANDIDATES["boosting"], data, list(card.inputs.values()), 0, lambda: folds.append(1))

    assert trial.auc >= LEAST_AUC
    assert trial.log_loss <= MOST_LOG_LOSS
    assert FOLDS == len(folds)


def test_the_same_seed_gives_the_same_trial(credit_card: Path) -> None:
    """Choosing is reproducible."""
    card = read_card(credit_card)
    every = encode(read_table(credit_card.parent / card.dataset.path), card)
    data = every.take(split(every.y, 0).fit)
    fields = list(card.inputs.values())

    one, two = (try_candidate(CANDIDATES["logistic"], data, fields, 5) for _ in range(2))

    assert one == two


def test_the_smallest_log_loss_is_chosen_whatever_the_auc() -> None:
    """Probabilities matter, not the ranking alone."""
    worse = Trial(CANDIDATES["logistic"], {}, (Fold(log_loss=0.5, auc=0.9),))
    better = Trial(CANDIDATES["boosting"], {}, (Fold(log_loss=0.4, auc=0.8),))

    assert better is choose([worse, better])
