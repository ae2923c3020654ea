"""The hold-out: rows that neither fitting nor the choice of a model uses.

The split depends on outcomes and seed alone, so that `compare` can tell which rows a model was trained on. It must not
change silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from train.target import Labels

HOLDOUT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Partition:
    """Row numbers, int64, ascending: for fitting and choosing a model, and for the final measurement."""

    training_rows: npt.NDArray[np.int64]
    holdout_rows: npt.NDArray[np.int64]


def split_rows(y: Labels, seed: int) -> Partition:
    """Split the rows, stratified by outcomes y, shape (n,)."""
    training, holdout = train_test_split(np.arange(len(y)), test_size=HOLDOUT_SHARE, stratify=y, random_state=seed)
    return Partition(np.sort(training), np.sort(holdout))
