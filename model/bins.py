"""Reference bins of a field or of the probability: counts of the training applicants, for drift."""

from __future__ import annotations

from msgspec import Struct


class Bins(Struct, frozen=True, omit_defaults=True):
    """How many of the training applicants lie in each part of a field's values: for drift, and to place an applicant.

    A number: `counts[i]` applicants have a value above `edges[i - 1]` and at most `edges[i]`; the last count is of
    those above every edge. A category: `counts[i]` have one of `levels[i]`, indices of levels. `missing` have none.
    No part has 1 to 19 people: rare neighbours share a bin, and where that can't be, 10 stands for them.
    """

    counts: tuple[int, ...]
    missing: int
    edges: tuple[float, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()
