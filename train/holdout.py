"""The hold-out: rows that neither fitting nor the choice of a model uses.

The split depends on outcomes and seed alone, so that `compare` can tell which rows a model was trained on. It must not
change silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from train.dataset import Labels

HOLDOUT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Parts:
    """Row numbers, int64, ascending: `fit` for fitting and choosing a model, `holdout` for the final measurement."""

    fit: npt.NDArray[np.int64]
    holdout: npt.NDArray[np.int64]


def split(y: Labels, seed: int) -> Parts:
    """Split rows, stratified by outcomes y, shape (n,)."""
    fit, holdout = train_test_split(np.arange(len(y)), test_size=HOLDOUT_SHARE, stratify=y, random_state=seed)
    return Parts(np.sort(fit), np.sort(holdout))
