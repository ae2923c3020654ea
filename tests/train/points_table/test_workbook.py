"""scorecard.xlsx as it is written; what its formulas give is in test_workbook_extra.py."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.train.points_table.conftest import BATCH_ROWS
from tests.train.points_table.scorecards import FIELDS, ODD, POLICIES, SCORECARD, make_table
from train.points_table.workbook import render_workbook

KNOWN = {
    "COUNT",
    "COUNTA",
    "EXACT",
    "EXP",
    "IF",
    "IFERROR",
    "INDEX",
    "ISNUMBER",
    "MATCH",
    "NA",
    "OR",
    "SUM",
    "SUMPRODUCT",
}
"""Functions that Excel 2007 has."""


def read_sheet(name: str, policy: str = "costs with review") -> list[list[Any]]:
    """The cells of a sheet as the file has them."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(render_workbook(make_table(policy))))
    return book.get_sheet_by_name(name).to_python()


def test_the_same_scorecard_gives_the_same_bytes() -> None:
    """Its time is that of the training."""
    assert render_workbook(make_table()) == render_workbook(make_table())


def test_an_applicant_is_there_with_its_results() -> None:
    """So that programs which don't calculate show them; an example can be changed."""
    example = make_table().example
    rows = read_sheet("Applicant")

    assert [row[1] for row in rows[3:6]] == [example.total, example.probability, example.decision]
    assert [row[:2] for row in rows[8:11]] == [
        ["Amount of the loan", 700.0],
        [f"<b> | {ODD}", 0.2],
        ["Housing", "Own"],
    ]
    assert [row[4] for row in rows[8:]] == example.points


def test_the_points_are_a_table() -> None:
    """A row for each bin, what isn't published is empty, and the lower ends of numbers are ascending."""
    heads, base, *rows = read_sheet("Points")

    assert heads == ["Field", "Bin", "From", "Points", "Share", "Default rate", "WOE", "IV"]
    assert base[3] == SCORECARD.base
    assert [row[3] for row in rows] == [points for bins in SCORECARD.fields for points in bins.points]
    assert rows[1] == ["Amount of the loan (EUR)", "500 to under 1,200.5", 500.0, 20.0, 0.25, 0.1, -0.5, 0.02]
    assert rows[10][4:] == ["", "", "", ""]
    assert [row[2] for row in rows[:5]] == [-1e100, 500.0, 1200.5, 3000.0, ""]


def test_levels_are_texts_and_no_formulas() -> None:
    """Whatever they look like."""
    assert [row[3] for row in read_sheet("Lookup")[1:7]] == list(FIELDS[2].levels)


def test_only_functions_of_excel_2007_are_used() -> None:
    """A newer one would have a prefix in the file."""
    with zipfile.ZipFile(io.BytesIO(render_workbook(make_table()))) as file:
        pages = [file.read(name).decode() for name in file.namelist() if name.startswith("xl/worksheets/")]
    formulas = [formula for page in pages for formula in re.findall(r"<f>([^<]*)</f>", page)]

    assert len(formulas) > BATCH_ROWS * len(FIELDS)
    assert {name for formula in formulas for name in re.findall(r"([A-Za-z_.0-9]+)\(", formula)} <= KNOWN
    assert max(map(len, formulas)) < 8192


@pytest.mark.parametrize("policy", list(POLICIES))
def test_rules_and_money_have_no_decision_in_the_sheet(policy: str) -> None:
    """It would be another one than that of the graph."""
    has_decision = policy not in ("rules", "money", "margin of each")

    assert ("Decision" in read_sheet("Batch", policy)[0]) == has_decision
    assert (read_sheet("Applicant", policy)[5][1] in ("accept", "review", "refuse")) == has_decision
