"""Rank of an applicant's values in a population, here the table that is loaded.

To compare with the population that a model was trained on instead, build a `Population` from the reference bins of
GET /model: the tables use only `Rank`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client.responses import Applicant, Field, Value


@dataclass(frozen=True, slots=True)
class Rank:
    """Rank of a value among the known values of a field, as shares between 0 and 1; both are 0 if none is known.

    `below`: share with a smaller number (0 for a category); `same`: share with the same value or, for a missing
    value, share of all applicants in which it is missing.
    """

    below: float
    same: float

    @property
    def midpoint(self) -> float:
        """Percentile rank between 0 (lowest) and 1 (highest); half of the equal values count as below."""
        return self.below + self.same / 2


@dataclass(frozen=True, slots=True)
class Population:
    """Per field name, the sorted numbers and the counts of all values; `size` is the number of applicants."""

    size: int
    numbers: Mapping[str, Sequence[float]]
    levels: Mapping[str, Mapping[Value, int]]

    def rank(self, value: Value, field: Field) -> Rank:
        """The rank of a value of a field."""
        counts = self.levels[field.name]
        if not isinstance(value, float | int) or field.kind == "category":
            known = self.size if value is None else self.size - counts.get(None, 0)
            return Rank(0.0, counts.get(value, 0) / max(known, 1))
        numbers = self.numbers[field.name]
        low, high = bisect_left(numbers, value), bisect_right(numbers, value)
        return Rank(low / max(len(numbers), 1), (high - low) / max(len(numbers), 1))


def population_of(applicants: Sequence[Applicant], fields: Sequence[Field]) -> Population:
    """The population that these applicants form."""
    return Population(
        size=len(applicants),
        numbers={
            field.name: sorted(value for row in applicants if isinstance(value := row[field.name], float))
            for field in fields
        },
        levels={field.name: Counter(row[field.name] for row in applicants) for field in fields},
    )
