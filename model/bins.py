"""Histogram of a field or of the probability over the training applicants: the reference for drift."""

from __future__ import annotations

from msgspec import Struct


class Bins(Struct, frozen=True, omit_defaults=True):
    """How many training applicants fall into each bin of a field.

    A number: `counts[i]` applicants have a value in (edges[i - 1], edges[i]]; the last count is of values above every
    edge. A category: `counts[i]` applicants have one of `levels[i]`, which are indices of levels. `missing`: applicants
    without a value.

    For privacy no count is between 1 and 19: rare neighbours share a bin, and where that is impossible the count is
    given as 10.
    """

    counts: tuple[int, ...]
    missing: int
    edges: tuple[float, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()
