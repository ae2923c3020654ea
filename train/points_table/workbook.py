"""scorecard.xlsx: the points table with formulas that use it, for Excel and LibreOffice.

Sheets: Applicant, to type the values of one; Batch, to paste those of many; Points, the table, where all formulas look
points up; Pairs, the points of two fields together; Lookup, the bins of levels and what formulas need besides. A sheet
holds numbers of 15 digits, as Excel does.
"""

from __future__ import annotations

import datetime
import io
from typing import Any

import numpy as np
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from model.contract import MAX_MAGNITUDE, Field
from train.dataset import Matrix
from train.points_table.bins import ContractScorecard
from train.points_table.formulas import Formulas
from train.points_table.reference_sheets import write_reference

BATCH_ROWS, BATCH_CELLS = 500, 20_000
"""Rows of the sheet Batch that have formulas; fewer where an applicant has many fields."""

MAX_CHOICES = 32_767
"""Excel's limit of a drop-down list."""

TOTAL, FIRST_FIELD = 3, 8
"""Rows of the sheet Applicant, from 0."""

STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "bold": {"bold": True, "align": "left"},
    "bold_percent": {"bold": True, "align": "left", "num_format": "0.00%"},
    "unit": {"indent": 1},
    "faint": {"font_color": "#555555"},
    "number": {"bg_color": "#FFF8DC", "border": 1, "border_color": "#BBBBBB"},
    "category": {"bg_color": "#FFF8DC", "border": 1, "border_color": "#BBBBBB", "num_format": "@"},
    "percent": {"num_format": "0.0%"},
    "decimal": {"num_format": "0.000"},
    "low": {"num_format": '[<-1E+99]"";General', "align": "left"},
}

NO_DECISION = "amounts of money or rules decide: scorecard.sql and the service have the decision"


def render_workbook(table: ContractScorecard, batch: Matrix | None = None) -> bytes:
    """The file; the same bytes for the same contract. `batch`: applicants in the sheet Batch, shape (n, n_fields)."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True})
    created = datetime.datetime.fromisoformat(table.contract.trained_at).replace(tzinfo=None)
    book.set_properties({"title": f"Scorecard of {table.contract.name}", "created": created})
    styles = {name: book.add_format(style) for name, style in STYLES.items()}
    names = ("Applicant", "Batch", "Points", *(["Pairs"] if table.scorecard.pairs else []), "Lookup")
    sheets = {name: book.add_worksheet(name) for name in names}
    formulas = write_reference(sheets, table, styles)
    _write_applicant(sheets["Applicant"], formulas, styles)
    _write_batch(sheets["Batch"], formulas, styles, batch)
    book.close()
    return out.getvalue()


def _write_applicant(sheet: Any, formulas: Formulas, styles: dict[str, Any]) -> None:
    """One applicant, at first a synthetic one; results on top."""
    table, example = formulas.table, formulas.table.example
    for column, width in enumerate((34, 22, 14, 34, 10)):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, f"Scorecard of {table.contract.name}, version {table.contract.version}", styles["title"])
    sheet.write_string(1, 0, "Type the values of an applicant into column B; an empty cell is a missing value.")
    total = xl_rowcol_to_cell(TOTAL, 1, row_abs=True, col_abs=True)
    last = FIRST_FIELD + max(len(example.points), 1) - 1
    for row, label in enumerate(("Points", "Probability of default", "Decision"), TOTAL):
        sheet.write_string(row, 0, label, styles["bold"])
    sheet.write_formula(total, f"={formulas.total(xl_range(FIRST_FIELD, 4, last, 4))}", styles["bold"], example.total)
    sheet.write_formula(TOTAL + 1, 1, formulas.probability(total), styles["bold_percent"], example.probability)
    if example.decision is None:
        sheet.write_string(TOTAL + 2, 1, NO_DECISION)
    else:
        sheet.write_formula(TOTAL + 2, 1, formulas.decision(total), styles["bold"], example.decision)
    for column, title in enumerate(("Field", "Value", "Unit", "Bin", "Points")):
        sheet.write_string(FIRST_FIELD - 1, column, title, styles["head"])
    cells = [xl_rowcol_to_cell(FIRST_FIELD + place, 1) for place in range(len(table.fields))]
    for place, (field, value) in enumerate(zip(table.fields, example.values, strict=True)):
        row = FIRST_FIELD + place
        sheet.write_string(row, 0, field.label)
        _restrict(sheet, row, field, formulas.fields[place].levels)
        _write_value(sheet, row, 1, field, value, styles[field.kind])
        sheet.write_string(row, 2, field.unit, styles["unit"])
        sheet.write_formula(row, 3, formulas.name_bin(place, cells[place]), None, "")
    for row, label in enumerate(table.pair_labels, FIRST_FIELD + len(table.fields)):
        sheet.write_string(row, 0, label)
    for row, (formula, points) in enumerate(zip(formulas.points(cells), example.points, strict=True), FIRST_FIELD):
        sheet.write_formula(row, 4, f"={formula}", None, points)
    sheet.freeze_panes(FIRST_FIELD, 1)
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _write_batch(sheet: Any, formulas: Formulas, styles: dict[str, Any], batch: Matrix | None) -> None:
    """A row for each applicant: values, points, total, probability, decision."""
    table = formulas.table
    labels = [*(field.label for field in table.fields), *table.pair_labels]
    n_fields, n_points = len(table.fields), len(labels)
    total = n_fields + n_points
    heads = [field.name for field in table.fields] + [f"Points: {label}" for label in labels]
    heads += ["Points", "Probability of default", *(["Decision"] if table.cutoffs is not None else [])]
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, styles["head"])
        sheet.set_column(column, column, 14, styles[table.fields[column].kind] if column < n_fields else None)
    rows = max(1, min(BATCH_ROWS, BATCH_CELLS // (n_points + 1))) if batch is None else len(batch)
    for row in range(1, rows + 1):
        for column, field in enumerate(table.fields) if batch is not None else ():
            value = batch[row - 1, table.scorecard.fields[column].column]  # type: ignore[index]
            _write_value(sheet, row, column, field, value, styles[field.kind])
        is_empty = f"COUNTA({xl_range(row, 0, row, max(n_fields, 1) - 1)})=0"
        for column, formula in enumerate(
            formulas.points([xl_rowcol_to_cell(row, c) for c in range(n_fields)]), n_fields
        ):
            sheet.write_formula(row, column, f'=IF({is_empty},"",{formula})', None, "")
        points = formulas.total(xl_range(row, n_fields, row, max(total, 1) - 1))
        sheet.write_formula(row, total, f'=IF({is_empty},"",{points})', None, "")
        cell = xl_rowcol_to_cell(row, total)
        sheet.write_formula(row, total + 1, formulas.probability(cell), styles["percent"], "")
        if table.cutoffs is not None:
            sheet.write_formula(row, total + 2, formulas.decision(cell), None, "")
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _write_value(sheet: Any, row: int, column: int, field: Field, value: float, style: Any) -> None:
    if np.isnan(value):
        sheet.write_blank(row, column, None, style)
    elif field.kind == "category":
        sheet.write_string(row, column, field.levels[int(value)], style)
    else:
        sheet.write_number(row, column, value, style)


def _restrict(sheet: Any, row: int, field: Field, levels: str) -> None:
    """What a cell takes: the levels of a category, or a number."""
    if field.kind == "category" and len(field.levels) <= MAX_CHOICES:
        sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": f"={levels}"})
    elif field.kind == "number":
        between = {"criteria": "between", "minimum": -MAX_MAGNITUDE, "maximum": MAX_MAGNITUDE}
        sheet.data_validation(row, 1, row, 1, {"validate": "decimal", **between, "error_message": "Type a number."})
