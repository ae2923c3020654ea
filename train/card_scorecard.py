"""The part of a dataset card that is about scorecards: how they are fitted, and bins that a person has fixed."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain, pairwise
from typing import Annotated

from msgspec import Meta, Struct

from model.contract import MAX_MAGNITUDE
from model.messages import quote_value


class CardScorecard(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most bins of a field beside that of missing values, and the number of pairs of fields with points."""

    max_bins: Annotated[int, Meta(ge=2, le=50)] = 8
    pairs: Annotated[int, Meta(ge=0, le=50)] = 0


class CardBinning(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bins that a scorecard keeps: the numbers that they begin with but the first, or groups of levels."""

    edges: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()


def find_binning_faults(binning: CardBinning, kind: str, levels: tuple[str, ...]) -> list[str]:
    """The faults of a field's fixed bins, each as the end of a sentence."""
    if kind == "number":
        if binning.groups or not binning.edges:
            return ["is a number, whose binning needs edges, such as edges = [10, 20]; correct it"]
        if not all(math.isfinite(edge) and abs(edge) <= MAX_MAGNITUDE for edge in binning.edges):
            return ["has an edge of its binning that isn't finite or is beyond ±1e100; correct edges"]
        falling = [(low, high) for low, high in pairwise(binning.edges) if low >= high]
        return [f"has the edge {low:g} before {high:g} in its binning; list edges ascending" for low, high in falling]
    if binning.edges or not binning.groups:
        return ["is a category, whose binning needs groups of levels, such as groups = [['a', 'b'], ['c']]; correct it"]
    counts = Counter(chain.from_iterable(binning.groups))
    faults = [f"has {quote_value(level)} in its binning, which is none of its levels; correct groups or levels"
              for level in counts if level not in levels]  # fmt: skip
    faults += [
        f"has {quote_value(level)} twice in its binning; a level has one group" for level in counts if counts[level] > 1
    ]
    faults += [
        f"has no group for {quote_value(level)} in its binning; add it to one"
        for level in levels
        if level not in counts
    ]
    return [*faults, *(["has an empty group in its binning; remove it"] if () in binning.groups else [])]
