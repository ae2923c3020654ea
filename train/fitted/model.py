"""A fitted model as data: its inputs, and its members, each a function of preprocessed columns with links.

probability of default = outer links of the weighted mean of each member's links of its function(its steps(rows)). A
pipeline has one member; calibration with folds and soft voting have several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from train.fitted.linear import Linear
from train.fitted.links import Affine, Links, Sigmoid, apply_links
from train.fitted.steps import Matrix, Owners, Steps, apply_steps, follow_steps
from train.fitted.trees import Trees

Value = str | int | float | bool

Unit = Literal["log-odds", "probability", "uncalibrated log-odds", "uncalibrated probability"]


@dataclass(frozen=True, slots=True)
class Input:
    """One input field of the model.

    `levels`: of a category, as the model knows them; the index of a level travels. `is_open`: values that are no level
    are allowed, as one more level. `nullable`: the model takes missing values. `lowest` and `highest`: the numbers that
    its library takes, such as those that have a logarithm.
    """

    name: str
    levels: tuple[Value, ...] = ()
    is_open: bool = False
    nullable: bool = False
    lowest: float = -math.inf
    highest: float = math.inf


@dataclass(frozen=True, slots=True)
class Member:
    """A classifier with the steps before it.

    `links`: from the value of `function` to the probability of default. `classifier`: the library's own object, for the
    comparison of leaves; None where it isn't at hand. `is_log_odds`: whether the function's value is in log-odds; else
    it is a probability itself. `rounding`: how far the library's probability may be from the exact sum because the
    library adds in float32. `largest`: the largest number in a column that enters the classifier; the library
    refuses larger ones.
    """

    steps: Steps
    function: Linear | Trees
    links: Links = (Sigmoid(),)
    weight: float = 1.0
    classifier: Any = None
    is_log_odds: bool = True
    rounding: float = 0.0
    largest: float = np.inf

    def encode(self, applicants: Matrix) -> Matrix:
        """The columns that enter the classifier: float64, (n, n_fields) → (n, n_columns)."""
        return np.asarray(apply_steps(self.steps, applicants), dtype=np.float64)

    def value(self, applicants: Matrix) -> Matrix:
        """The function's value: float64, shape (n,)."""
        return self.function.log_odds(self.encode(applicants))


@dataclass(frozen=True, slots=True)
class FittedModel:
    """The description of a fitted model.

    `ask`: the library's own probabilities of default for applicants, float64, (n, n_fields) → (n,). `rounding`: how far
    they may differ from exact sums because the library adds in float32. `estimator`: name of its class.
    """

    inputs: tuple[Input, ...]
    members: tuple[Member, ...]
    ask: Callable[[Matrix], Matrix]
    estimator: str
    outer: Links = ()
    rounding: float = 0.0

    @property
    def unit(self) -> Unit:
        """The unit of `score`, which contributions add up to."""
        log_odds = self.members[0].is_log_odds
        if len(self.members) == 1 and not self.outer and self.members[0].links in ((Sigmoid(),), ()):
            return "log-odds" if log_odds else "probability"
        if not log_odds and not self.outer and not any(member.links for member in self.members):
            return "probability"
        return "uncalibrated log-odds" if log_odds else "uncalibrated probability"

    def owners(self, member: Member) -> Owners:
        """For each column that enters a member's classifier the fields that it is computed from."""
        return follow_steps(member.steps, tuple(frozenset([number]) for number in range(len(self.inputs))))

    def is_taken(self, applicants: Matrix) -> npt.NDArray[np.bool_]:
        """Which applicants the library answers for: bool, shape (n,)."""
        taken = np.ones(len(applicants), dtype=np.bool_)
        for member in self.members:
            if np.isfinite(member.largest):
                taken &= ~(np.abs(member.encode(applicants)) > member.largest).any(axis=1)
        return taken

    @property
    def total(self) -> float:
        """The sum of the members' weights."""
        return sum(member.weight for member in self.members)

    def score(self, applicants: Matrix) -> Matrix:
        """What contributions add up to, in `unit`: the weighted mean of the members' values. float64, shape (n,)."""
        return sum_members([member.weight / self.total * member.value(applicants) for member in self.members])

    def probability(self, applicants: Matrix) -> Matrix:
        """Probabilities of default from the description: float64, shape (n,)."""
        parts = [member.weight * apply_links(member.links, member.value(applicants)) for member in self.members]
        # Divided at the end, as numpy.average does: curves of isotonic calibration often meet a threshold exactly.
        return apply_links(self.outer, sum_members(parts) / self.total)


def sum_members(parts: list[Matrix]) -> Matrix:
    """The sum in the order of the members, which the graph keeps."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def fold_scale(member: Member) -> Member:
    """The same member with an affine link before its sigmoid as part of the function, then in log-odds."""
    if len(member.links) < 2 or not isinstance(member.links[0], Affine) or member.links[1:] != (Sigmoid(),):
        return member
    scale = member.links[0]
    function = member.function.scaled(scale.slope, scale.offset)
    return replace(member, function=function, links=(Sigmoid(),), is_log_odds=True)
