"""The hold-out: rows that neither fitting nor choosing ever sees.

The split of a table is the same for the same outcomes and seed, so that `compare` finds again which rows
a model has learnt from. It must not change silently.
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
    """Row numbers, int64, ascending: those for fitting and choosing, and those held out."""

    fit: npt.NDArray[np.int64]
    holdout: npt.NDArray[np.int64]


def split(y: Labels, seed: int) -> Parts:
    """Which rows of a table are for what: stratified by the outcomes y, shape (n,), and seeded."""
    fit, holdout = train_test_split(np.arange(len(y)), test_size=HOLDOUT_SHARE, stratify=y, random_state=seed)
    return Parts(np.sort(fit), np.sort(holdout))
