"""Fields that alone tell the outcome: most likely they became known only after the default.

Each field alone predicts by the default rate of its bins (numbers) or levels, estimated on the other folds of five.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.missing import blank_codes
from train.card import CardField
from train.contract import make_field
from train.dataset import Dataset, Matrix
from train.errors import TrainingError
from train.target import Labels
from train.weights import weighted_mean

STOP_AUC = 0.95
"""From this AUC of one field alone on, training stops unless the card or --allow allows the field."""

REVIEW_AUC = 0.85
"""From this AUC on, the verdict of the report carries it."""

N_BINS = 64
FOLDS = 5
PRIOR_ROWS = 2.0
"""Weight of the overall default rate in that of a bin, in rows."""

MIN_SHARE_OF_CLASS = 1 / 3
"""A value that only one class has is reported if at least this share of the class has it."""


@dataclass(frozen=True, slots=True)
class FieldStrength:
    """How well a field alone tells the outcome: its AUC on held-out folds, and a value that only one class has ('')."""

    name: str
    auc: float
    one_sided: str

    @property
    def is_suspicious(self) -> bool:
        """Whether it is too good to be known at application."""
        return self.auc >= STOP_AUC or bool(self.one_sided)


def measure_fields(data: Dataset, fields: Mapping[str, CardField], seed: int) -> tuple[FieldStrength, ...]:
    """Measure each column of X, in the order of the fields."""
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(data.y))
    X = blank_codes(data.X, [make_field(name, field) for name, field in fields.items()])
    return tuple(
        FieldStrength(name, _measure_auc(column, data.y, fold, data.weight), _find_one_sided(column, data.y, field))
        for (name, field), column in zip(fields.items(), X.T, strict=True)
    )


def check_leakage(strengths: tuple[FieldStrength, ...], fields: Mapping[str, CardField]) -> None:
    """Raise TrainingError for fields that alone tell the outcome and aren't allowed."""
    found = [one for one in strengths if one.is_suspicious and not fields[one.name].allow]
    if not found:
        return
    told = "; ".join(
        f"{one.name!r} (AUC {one.auc:.3f}{', ' + one.one_sided if one.one_sided else ''})" for one in found[:5]
    ) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    first, who = shlex.quote(found[0].name), "these fields alone tell" if len(found) > 1 else "this field alone tells"
    raise TrainingError(
        f"{who} the outcome: {told}; most likely known only after the default. Leave it out (--ignore {first}; in a "
        f"card, remove it), or if it is really known at application: --allow {first} (in a card allow = true)"
    )


def _measure_auc(column: Matrix, y: Labels, fold: npt.NDArray[np.int64], weight: Matrix | None) -> float:
    bins = _bin(column)
    n_bins = int(bins.max()) + 1
    counts = np.zeros((FOLDS, n_bins, 2))
    np.add.at(counts, (fold, bins, y), 1.0 if weight is None else weight)
    total = counts.sum(axis=0)
    rate = weighted_mean(y, weight)
    others = total - counts
    scores = (others[:, :, 1] + PRIOR_ROWS * rate) / (others.sum(axis=2) + PRIOR_ROWS)
    # Comparing within each fold, because the scores of two folds come from two estimates.
    areas = [_weighted_auc(scores[one], counts[one]) for one in range(FOLDS)]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else 0.5


def _weighted_auc(scores: Matrix, counts: Matrix) -> float | None:
    """AUC of bins with these scores, shape (n,), and numbers of goods and defaults, shape (n, 2)."""
    order = np.argsort(scores, kind="stable")
    _, group = np.unique(scores[order], return_inverse=True)
    goods, defaults = (np.bincount(group, weights=counts[order, one]) for one in (0, 1))
    if not goods.sum() or not defaults.sum():
        return None
    below = np.cumsum(goods) - goods
    return float((defaults * (below + goods / 2)).sum() / (goods.sum() * defaults.sum()))


def _bin(column: Matrix) -> npt.NDArray[np.int64]:
    """Bin numbers, missing values in a bin of their own, which is the last."""
    known = ~np.isnan(column)
    distinct = np.unique(column[known])
    edges = (
        distinct if len(distinct) <= N_BINS else np.unique(np.quantile(column[known], np.linspace(0, 1, N_BINS + 1)))
    )
    bins = np.searchsorted(edges, column)
    return np.where(known, bins, len(edges) + 1).astype(np.int64)


def _find_one_sided(column: Matrix, y: Labels, field: CardField) -> str:
    """A level, or having a value at all, that only defaults or only goods have, and many of them; '' if none."""
    groups = {"a value": ~np.isnan(column), "no value": np.isnan(column)}
    if field.kind == "category":
        groups |= {f"the level {level!r}": column == index for index, level in enumerate(field.levels)}
    for what, has in groups.items():
        for outcome, who in ((1, "defaults"), (0, "goods")):
            same = y == outcome
            if has.any() and not (has & ~same).any() and (has & same).sum() >= MIN_SHARE_OF_CLASS * same.sum():
                return f"only {who} have {what}"
    return ""
