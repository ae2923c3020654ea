"""Where an applicant stands among others, field by field.

The others are the table that is loaded. To compare with the population a model was trained on instead, build a
`Population` from what GET /model tells of it (bins and their shares): the figures read nothing but `Standing`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client.answers import Applicant, Field, Value


@dataclass(frozen=True, slots=True)
class Standing:
    """One value among the others that are known: shares of 1; both 0 if no other is known.

    `below`: others with a smaller number (0 for a category); `same`: others with the same value, or, for a missing
    value, the share of all that miss it.
    """

    below: float
    same: float

    @property
    def rank(self) -> float:
        """The place between the lowest (0) and the highest (1), in the middle of those with the same value."""
        return self.below + self.same / 2


@dataclass(frozen=True, slots=True)
class Population:
    """Numbers of each field sorted, levels of each field counted; `size`: how many applicants."""

    size: int
    numbers: Mapping[str, Sequence[float]]
    levels: Mapping[str, Mapping[Value, int]]

    def stand(self, value: Value, field: Field) -> Standing:
        """Where a value of a field stands."""
        counts = self.levels[field.name]
        if not isinstance(value, float | int) or field.kind == "category":
            known = self.size if value is None else self.size - counts.get(None, 0)
            return Standing(0.0, counts.get(value, 0) / max(known, 1))
        numbers = self.numbers[field.name]
        low, high = bisect_left(numbers, value), bisect_right(numbers, value)
        return Standing(low / max(len(numbers), 1), (high - low) / max(len(numbers), 1))


def population_of(applicants: Sequence[Applicant], fields: Sequence[Field]) -> Population:
    """The population of a table of applicants."""
    return Population(
        size=len(applicants),
        numbers={
            field.name: sorted(value for row in applicants if isinstance(value := row[field.name], float))
            for field in fields
        },
        levels={field.name: Counter(row[field.name] for row in applicants) for field in fields},
    )
