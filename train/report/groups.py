"""Groups of applicants by a field: the levels of a category, or four ranges of a number.

Used by fairness and segments.
"""

from __future__ import annotations

import numpy as np

from model.contract import Field
from train.card import CardField
from train.dataset import Matrix
from train.target import Labels
from train.weights import Flags, select, weighted_quantile

MIN_GROUP_SIZE = 50
"""Smaller groups are excluded: their rates are too uncertain, and they could identify people."""

N_NUMBER_GROUPS = 4
"""Ranges of about equal count."""


def split_groups(field: CardField | Field, values: Matrix, weight: Matrix | None = None) -> dict[str, Flags]:
    """Name of each group → whether each row is in it, bool, shape (n,); `values`: encoded as inputs are."""
    is_missing = np.isnan(values) | np.isin(values, field.missing)
    if field.kind == "category":
        groups = {level: values == number for number, level in enumerate(field.levels)}
    else:
        groups = {}
        present = values[~is_missing]
        shares = np.arange(1, N_NUMBER_GROUPS) / N_NUMBER_GROUPS
        edges = np.empty(0)
        if len(present):
            edges = np.unique(weighted_quantile(present, shares, select(weight, ~is_missing)).round())
        places = np.where(is_missing, -1, np.searchsorted(edges, values))
        for place in range(len(edges) + 1):
            if not len(edges):
                title = "any value"
            elif place == 0:
                title = f"up to {edges[0]:g}"
            elif place == len(edges):
                title = f"over {edges[-1]:g}"
            else:
                title = f"over {edges[place - 1]:g} to {edges[place]:g}"
            groups[title] = places == place
    return {**groups, "missing": is_missing}


def can_measure(y: Labels) -> bool:
    """Whether a group with these outcomes is large enough, and has both of them."""
    return len(y) >= MIN_GROUP_SIZE and len(set(y.tolist())) == 2
