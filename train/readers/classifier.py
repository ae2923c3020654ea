"""What a reader makes of one fitted classifier; used by every reader of classifiers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from train.fitted.linear import Linear
from train.fitted.links import Links, Sigmoid
from train.fitted.steps import IsMember, Parallel, Steps
from train.fitted.trees import Trees
from train.readers.columns import Columns, encode, plain


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classifier's function of the columns that enter it.

    `links`: from the function's value to the probability of the second class. The value of a classifier that has a
    `decision_function` is that function. `steps`: that the classifier itself does before its function. `rounding`: how
    far the library's probability may be from the exact sum because it adds in float32.
    """

    function: Linear | Trees
    links: Links = (Sigmoid(),)
    steps: Steps = ()
    rounding: float = 0.0


@dataclass(slots=True)
class SetColumns:
    """Columns that tell whether a value is one of a set, appended to a classifier's own for splits on categories.

    `before`: steps on the values that are looked up in the sets.
    """

    n_columns: int
    before: Steps = ()
    sets: list[tuple[int, tuple[float, ...]]] = field(default_factory=list)

    def add(self, column: int, members: Iterable[float]) -> int:
        """The number of the column that is 1 where `column` is one of `members`, else 0; also where it is missing."""
        wanted = (column, tuple(sorted(set(members))))
        if wanted not in self.sets:
            self.sets.append(wanted)
        return self.n_columns + self.sets.index(wanted)

    def steps(self) -> Steps:
        """The step that appends them."""
        if not self.sets:
            return ()
        columns, members = tuple(column for column, _ in self.sets), tuple(members for _, members in self.sets)
        return (Parallel(((), (*self.before, IsMember(columns, members)))),)


Categories: TypeAlias = "dict[int, tuple[float, ...]]"
"""Column → the value that stands for each category, in the order of the library's codes."""


def learn_dtype_categories(
    categories: Sequence[Sequence[Any]], places: Sequence[int], columns: Columns, *, is_open: bool
) -> Categories:
    """The categories of columns that a library took as pandas' category type, noted as levels of the columns.

    `is_open`: the library takes other values too.
    """
    if not categories:
        return {}
    if len(categories) != len(places) or any(columns[place].levels is None for place in places):
        raise ValueError(
            f"the model takes {len(categories)} columns of pandas' category type, of which only those that enter it "
            "unchanged can be exported; encode them as numbers before it"
        )
    known: Categories = {}
    for own, place in zip(categories, places, strict=True):
        column = columns[place]
        if column.levels is not None:
            column.levels.dtype_categories = tuple(plain(category) for category in own)
            column.levels.learn(list(column.levels.dtype_categories), is_open=is_open)
        known[place] = tuple(encode(category, column) for category in own)
    return known


def share(part: float, whole: float) -> float:
    """The share of a split's training rows that went one way; one half where none reached it."""
    return part / whole if whole else 0.5
