"""FieldMap: the champion's applicants as a challenger's graph takes them, by the names of fields and levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.contract import Field
from model.messages import quote_value
from model.session import Matrix

UNKNOWN_LEVEL = -1.0


class UnfitChallenger(Exception):
    """A challenger can't score the champion's applicants; the message says why, what was expected and what to do."""


class GivenField(Protocol):
    """What of a field of the champion is needed: a `Field` has it, and so has a field on record."""

    @property
    def name(self) -> str:
        """As in the contract."""

    @property
    def kind(self) -> str:
        """number or category."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Of a category, in the order of their indices."""


class FieldMap:
    """From the fields of the champion to those of a challenger.

    `unknown`: levels of the champion that the challenger doesn't know, as FIELD=LEVEL. The file isn't refused for them:
    a rare level that its training data lacks must not hide what it says of everybody else.
    """

    def __init__(self, champion: Sequence[GivenField], challenger: Sequence[Field]) -> None:
        """Raises UnfitChallenger unless the champion has all of its fields, of the same kinds, with common levels."""
        places = {field.name: number for number, field in enumerate(champion)}
        self.unknown: list[str] = []
        self._places: list[int] = []
        self._levels: dict[int, Matrix] = {}
        for column, field in enumerate(challenger):
            if field.name not in places:
                raise UnfitChallenger(
                    f"its field {quote_value(field.name)} is none of the champion's, expected some of these: "
                    f"{', '.join(places)}; train it with them, or serve a champion that has the field"
                )
            self._places.append(places[field.name])
            given = champion[places[field.name]]
            if given.kind != field.kind:
                raise UnfitChallenger(
                    f"its field {quote_value(field.name)} is a {field.kind}, expected a {given.kind} as at the "
                    "champion; train it with the champion's kind"
                )
            if field.kind == "category":
                self._levels[column] = self._map_levels(given, field)
        self._nullable = np.array([field.nullable for field in challenger])
        limits = [(0.0, len(field.levels) - 1.0) if field.levels else field.limits for field in challenger]
        self._lowest, self._highest = np.array(limits).T

    def map(self, applicants: Matrix) -> Matrix:
        """Applicants, float64, shape (n, fields of the champion), as the challenger's: shape (n, its fields)."""
        rows = applicants[:, self._places]
        for column, levels in self._levels.items():
            is_given = ~np.isnan(rows[:, column])
            rows[is_given, column] = levels[rows[is_given, column].astype(np.intp)]
        return rows

    def find_taken(self, rows: Matrix) -> npt.NDArray[np.bool_]:
        """Which mapped rows the challenger takes, shape (n,).

        Not those with a level that it doesn't know, without a value that it needs, or with a number beyond its limits.
        """
        is_within = (rows >= self._lowest) & (rows <= self._highest)
        taken: npt.NDArray[np.bool_] = (is_within | np.isnan(rows) & self._nullable).all(axis=1)
        return taken

    def _map_levels(self, given: GivenField, field: Field) -> Matrix:
        """Index of the champion's level → index of the challenger's, or UNKNOWN_LEVEL."""
        places = {level: float(number) for number, level in enumerate(field.levels)}
        unknown = [level for level in given.levels if level not in places]
        if len(unknown) == len(given.levels):
            raise UnfitChallenger(
                f"its field {quote_value(field.name)} has none of the champion's levels, expected some of these: "
                f"{', '.join(given.levels)}; train it with them"
            )
        self.unknown += [f"{field.name}={level}" for level in unknown]
        return np.array([places.get(level, UNKNOWN_LEVEL) for level in given.levels])
