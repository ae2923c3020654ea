"""Rules of a lender beside the model: knock-outs and limits on inputs, in the contract and in the graph.

A rule makes a decision stricter, never milder. It is built of comparisons and memberships, joined by and/or. None of
them holds for a missing value, except the one that asks for it. `holds` here and the nodes of train/export/decision.py
are the same function; tests compare them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.inputs import Input, Matrix

Flags = npt.NDArray[np.bool_]

Comparison = Literal["below", "at_most", "above", "at_least"]

COMPARE: dict[Comparison, Callable[[Matrix, Matrix | float], Flags]] = {
    "below": np.less,
    "at_most": np.less_equal,
    "above": np.greater,
    "at_least": np.greater_equal,
}


class Compares(Struct, frozen=True, tag="compares", forbid_unknown_fields=True):
    """input ∘ value, or input ∘ value · times, if both inputs are known."""

    input: Input
    comparison: Comparison
    value: float
    times: Input | None = None

    def holds(self, applicants: Matrix) -> Flags:
        """bool, shape (n,)."""
        limit = self.value if self.times is None else self.value * self.times.read(applicants)
        return COMPARE[self.comparison](self.input.read(applicants), limit)


class IsOneOf(Struct, frozen=True, tag="is_one_of", forbid_unknown_fields=True):
    """Input is one of `values` (of a category the indices of levels), or, `negated`, is known and is none of them."""

    input: Input
    values: tuple[float, ...]
    negated: bool = False

    def holds(self, applicants: Matrix) -> Flags:
        """bool, shape (n,)."""
        values = self.input.read(applicants)
        is_member = np.isin(values, self.values)
        return ~is_member & ~np.isnan(values) if self.negated else is_member


class IsMissing(Struct, frozen=True, tag="is_missing", forbid_unknown_fields=True):
    """The input is missing."""

    input: Input

    def holds(self, applicants: Matrix) -> Flags:
        """bool, shape (n,)."""
        return np.isnan(self.input.read(applicants))


class Joined(Struct, frozen=True, tag="joined", forbid_unknown_fields=True):
    """All of the parts hold, or any of them."""

    join: Literal["all", "any"]
    parts: tuple[Compares | IsOneOf | IsMissing | Joined, ...]

    def holds(self, applicants: Matrix) -> Flags:
        """bool, shape (n,)."""
        parts = [part.holds(applicants) for part in self.parts]
        joined: Flags = np.logical_and.reduce(parts) if self.join == "all" else np.logical_or.reduce(parts)
        return joined


Condition = Compares | IsOneOf | IsMissing | Joined


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Where `when` holds, the decision is at least `decision`. `date`: since when the rule is the lender's, or None."""

    name: str
    decision: Literal["review", "refuse"]
    reason: str
    when: Condition
    date: datetime.date | None = None

    @property
    def index(self) -> int:
        """The decision as an index into DECISIONS."""
        return 2 if self.decision == "refuse" else 1


def find_inputs(condition: Condition) -> list[Input]:
    """The inputs of a condition, each once, in its order."""
    if isinstance(condition, Joined):
        found = [one for part in condition.parts for one in find_inputs(part)]
    else:
        found = [condition.input]
        if isinstance(condition, Compares) and condition.times is not None:
            found.append(condition.times)
    return list(dict.fromkeys(found))
