"""Hypothesis strategies for trees and applicants; few values, so that splits repeat and values equal thresholds."""

from __future__ import annotations

from hypothesis import strategies as st

from train.export.trees import Node, Split

COLUMNS = 4

cells = st.sampled_from([-1.0, 0.0, 0.5, 1.0, float("nan")])
shares = st.sampled_from([0.0, 0.125, 0.5, 0.75, 1.0])
thresholds = st.sampled_from([-1.0, 0.0, 0.25, 0.5, float("inf")])


@st.composite
def nodes(draw: st.DrawFn, leaves: int) -> Node:
    """A random tree with `leaves` leaves."""
    if leaves == 1:
        return draw(st.floats(-2, 2))
    left = draw(st.integers(1, leaves - 1))
    return Split(
        draw(st.integers(0, COLUMNS - 1)),
        draw(thresholds),
        draw(st.booleans()),
        draw(nodes(left)),
        draw(nodes(leaves - left)),
        draw(shares),
    )
