"""The formulas of scorecard.xlsx; no function is newer than Excel 2007."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.points_table.bins import ContractScorecard

UNKNOWN = "?"
"""Points of a value that isn't known: then there is no total."""


@dataclass(frozen=True, slots=True)
class FieldRanges:
    """Where the sheets have a field's bins. `lows`: the lower ends of a number's bins, without that of missing values;
    `levels` and `bins`: of a category, each level and the number of its bin; `words` and `points`: of each bin."""

    words: str
    points: str
    lows: str
    levels: str
    bins: str


@dataclass(frozen=True, slots=True)
class Formulas:
    """Formulas from the cells of an applicant's values. `base`, `offset`, `factor`, `refuse`, `review`: cells;
    `pairs`: the cells of each pair, a row for each bin of its first field."""

    table: ContractScorecard
    fields: Sequence[FieldRanges]
    pairs: Sequence[str]
    base: str
    offset: str
    factor: str
    refuse: str
    review: str

    def find_bin(self, place: int, cell: str) -> str:
        """The number of a field's bin, from 1; an error for a value that isn't known."""
        field, ranges = self.table.fields[place], self.fields[place]
        missing = len(self.table.scorecard.fields[place].points)
        if field.kind == "category":
            # Unlike MATCH it tells upper from lower case, and a level may have * and ?.
            is_level = f"EXACT({ranges.levels},{cell})"
            found = f"IF(SUMPRODUCT(--{is_level})=0,NA(),SUMPRODUCT({is_level}*{ranges.bins}))"
            return f'IF({cell}="",{missing if field.nullable else "NA()"},{found})'
        found = f"MATCH({cell},{ranges.lows},1)"
        codes = [f"{cell}={code:.15G}" for code in field.missing]
        if not field.nullable:
            of_codes = f"IF(OR({','.join(codes)}),{missing},{found})" if codes else found
            return f'IF({cell}="",NA(),{of_codes})'
        empty = f'{cell}=""'
        is_missing = f"OR({','.join([empty, *codes])})" if codes else empty
        return f"IF({is_missing},{missing},{found})"

    def name_bin(self, place: int, cell: str) -> str:
        """A field's bin in words."""
        return f'=IFERROR(INDEX({self.fields[place].words},{self.find_bin(place, cell)}),"not known")'

    def points(self, cells: Sequence[str]) -> list[str]:
        """The points of each field, then of each pair, without the equals sign."""
        found = [
            f"INDEX({ranges.points},{self.find_bin(place, cells[place])})" for place, ranges in enumerate(self.fields)
        ]
        for pair, cells_of_pair in zip(self.table.scorecard.pairs, self.pairs, strict=True):
            row, column = (self.find_bin(place, cells[place]) for place in pair.fields)
            found.append(f"INDEX({cells_of_pair},{row},{column})")
        return [f'IFERROR({one},"{UNKNOWN}")' for one in found]

    def total(self, points: str) -> str:
        """base + the points in a range, without the equals sign; a text while a value isn't known."""
        count = len(self.fields) + len(self.pairs)
        return f'IF(COUNT({points})={count},{self.base}+SUM({points}),"check the values")'

    def probability(self, total: str) -> str:
        """The probability of default at a total."""
        return f'=IF(ISNUMBER({total}),1/(1+EXP(({total}-{self.offset})/{self.factor})),"")'

    def decision(self, total: str) -> str:
        """By constant thresholds, as the most points that are refused and reviewed."""
        decided = f'IF({total}<={self.refuse},"refuse",IF({total}<={self.review},"review","accept"))'
        return f'=IF(ISNUMBER({total}),{decided},"")'
