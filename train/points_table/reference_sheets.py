"""The sheets of scorecard.xlsx that formulas look up: Points, Pairs and Lookup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlsxwriter.utility import xl_range_abs

from model.contract import MAX_MAGNITUDE
from train.points_table.bins import Bin, ContractScorecard, describe_bins
from train.points_table.formulas import FieldRanges, Formulas

Sheets = Mapping[str, Any]
Styles = Mapping[str, Any]

COLUMNS = {
    "Field": 34,
    "Bin": 34,
    "From": 12,
    "Points": 8,
    "Share": 8,
    "Default rate": 12,
    "WOE": 8,
    "IV": 8,
}
"""Columns of the sheet Points → their widths, in characters."""

SETTINGS = "probability of default = 1 / (1 + EXP((points - offset) / factor))"


def write_reference(sheets: Sheets, table: ContractScorecard, styles: Styles) -> Formulas:
    """Write the three sheets; formulas that refer to them."""
    scorecard, points, lookup = table.scorecard, sheets["Points"], sheets["Lookup"]
    described = [describe_bins(*one) for one in zip(scorecard.fields, table.fields, strict=True)]
    for column, (head, width) in enumerate(COLUMNS.items()):
        points.write_string(0, column, head, styles["head"])
        points.set_column(column, column, width)
    points.write_string(1, 0, "Base")
    points.write_number(1, 3, scorecard.base, styles["bold"])
    points.freeze_panes(1, 0)
    points.repeat_rows(0)
    points.fit_to_pages(1, 0)
    points.set_paper(9)
    _write_settings(lookup, table, styles)

    fields: list[FieldRanges] = []
    row, column = 2, 3
    for place, bins in enumerate(described):
        last = row + len(bins) - 1
        _write_bins(points, table, place, bins, row, styles)
        levels = of_levels = ""
        if table.fields[place].kind == "category":
            levels, of_levels = _write_levels(lookup, table, place, column)
            column += 2
        fields.append(
            FieldRanges(
                words=f"Points!{xl_range_abs(row, 1, last, 1)}",
                points=f"Points!{xl_range_abs(row, 3, last, 3)}",
                lows=f"Points!{xl_range_abs(row, 2, row + len(scorecard.fields[place].edges), 2)}",
                levels=levels,
                bins=of_levels,
            )
        )
        row = last + 1
    pairs = _write_pairs(sheets["Pairs"], table, described, styles) if scorecard.pairs else []
    return Formulas(
        table,
        fields,
        pairs,
        base="Points!$D$2",
        offset="Lookup!$B$1",
        factor="Lookup!$B$2",
        refuse="Lookup!$B$3",
        review="Lookup!$B$4",
    )


def _write_settings(sheet: Any, table: ContractScorecard, styles: Styles) -> None:
    cutoffs = table.cutoffs
    settings: dict[str, float] = {"offset": table.scorecard.offset, "factor": table.scorecard.factor}
    if cutoffs is not None:
        settings |= {"refuse up to points": cutoffs.refuse, "review up to points": cutoffs.review}
    sheet.set_column(0, 0, 22)
    for row, (label, value) in enumerate(settings.items()):
        sheet.write_string(row, 0, label)
        sheet.write_number(row, 1, value)
    sheet.write_string(len(settings), 0, SETTINGS, styles["faint"])


def _write_bins(sheet: Any, table: ContractScorecard, place: int, bins: list[Bin], first: int, styles: Styles) -> None:
    """The rows of a field, missing values last; `first`: the row of the first."""
    field, edges = table.fields[place], table.scorecard.fields[place].edges
    lows = [-MAX_MAGNITUDE, *edges] if field.kind == "number" else []
    label = f"{field.label} ({field.unit})" if field.unit else field.label
    for row, bin in enumerate(bins, first):
        facts = bin.facts
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, bin.words)
        sheet.write_number(row, 3, bin.points, styles["bold"])
        for column, figure in enumerate((facts.share, facts.default_rate, facts.woe, facts.iv), 4):
            if figure is not None:
                sheet.write_number(row, column, figure, styles["percent" if column < 6 else "decimal"])
    for row, low in enumerate(lows, first):
        sheet.write_number(row, 2, low, styles["low"])


def _write_levels(sheet: Any, table: ContractScorecard, place: int, column: int) -> tuple[str, str]:
    """Each level of a category and the number of its bin, from 1; the ranges of both."""
    field, groups = table.fields[place], table.scorecard.fields[place].groups
    sheet.write_string(0, column, field.label)
    sheet.write_string(0, column + 1, "bin")
    levels = [(field.levels[index], number) for number, group in enumerate(groups, 1) for index in group]
    for row, (level, number) in enumerate(levels, 1):
        sheet.write_string(row, column, level)
        sheet.write_number(row, column + 1, number)
    ends = (xl_range_abs(1, one, len(levels), one) for one in (column, column + 1))
    of_levels, of_bins = (f"Lookup!{end}" for end in ends)
    return of_levels, of_bins


def _write_pairs(sheet: Any, table: ContractScorecard, described: list[list[Bin]], styles: Styles) -> list[str]:
    """A table for each pair; the range of each."""
    ranges, first = [], 0
    sheet.set_column(0, 0, 34)
    for pair, label in zip(table.scorecard.pairs, table.pair_labels, strict=True):
        rows, columns = (described[place] for place in pair.fields)
        sheet.write_string(first, 0, label, styles["bold"])
        for number, column in enumerate(columns, 1):
            sheet.write_string(first, number, column.words, styles["head"])
        for place, (bin, row_points) in enumerate(zip(rows, pair.points, strict=False), first + 1):
            sheet.write_string(place, 0, bin.words)
            for number, points in enumerate(row_points[: len(columns)], 1):
                sheet.write_number(place, number, points)
        ranges.append(f"Pairs!{xl_range_abs(first + 1, 1, first + len(rows), len(columns))}")
        first += len(rows) + 2
    return ranges
