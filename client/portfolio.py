"""Batch scoring of a table in requests of 500 rows; a row that can't be scored keeps its faults."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from client.api import Api, InvalidApplicants
from client.language import Language
from client.localization import localize_reason
from client.responses import Model, Result
from client.table import Table

ROWS_PER_REQUEST = 500

_POINTER = re.compile(r"^/applicants/(\d+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class ScoredTable:
    """Row number → its result, or → its faults if it can't be scored."""

    results: dict[int, Result] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


def score_table(api: Api, table: Table) -> Iterator[ScoredTable]:
    """Score all rows without faults; yields the same, growing ScoredTable before the first and after each request.

    Raises ApiError if the service can't be used; the rows that were scored before are in the last object yielded.
    """
    scored = ScoredTable(errors=dict(table.faults))
    yield scored
    rows = [row for row in range(len(table.applicants)) if row not in table.faults]
    for start in range(0, len(rows), ROWS_PER_REQUEST):
        _score_rows(api, table, rows[start : start + ROWS_PER_REQUEST], scored)
        yield scored


def _score_rows(api: Api, table: Table, rows: Sequence[int], scored: ScoredTable) -> None:
    """Post some rows; rows that the service rejects are set aside and the others posted again."""
    while rows:
        try:
            results = api.score([table.applicants[row] for row in rows], [table.given_id(row) for row in rows])
        except InvalidApplicants as error:
            rejected = _errors_by_row(error, rows)
            if not rejected:
                raise
            scored.errors.update(rejected)
            rows = [row for row in rows if row not in rejected]
        else:
            scored.results.update(zip(rows, results, strict=True))
            return


def _errors_by_row(error: InvalidApplicants, rows: Sequence[int]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for one in error.errors:
        match = _POINTER.match(one.pointer)
        if match and int(match[1]) < len(rows):
            name = one.pointer[match.end() :]
            found.setdefault(rows[int(match[1])], []).append(f"{name}: {one.detail}" if name else one.detail)
    return {row: "; ".join(details) for row, details in found.items()}


def write_results(table: Table, scored: ScoredTable, model: Model, language: Language) -> bytes:
    """Every row of the table as CSV, with a byte-order mark so that spreadsheets read it as UTF-8.

    Columns: id, decision (accept, review, refuse), probability, points, further scalars of the results with the amounts
    and rules of a policy that has any, reasons, fault (why the row isn't scored).
    """
    fields_by_name = {about.name: about for about in model.fields}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    further = further_columns(scored, model)
    writer.writerow(("id", "decision", "probability", "points", *further, "reasons", "fault"))
    for row, (name, applicant) in enumerate(zip(table.ids, table.applicants, strict=True)):
        if result := scored.results.get(row):
            cells = read_further(result, model)
            reasons = "; ".join(
                localize_reason(reason, applicant, fields_by_name[reason.field], language) for reason in result.reasons
            )
            writer.writerow(
                (
                    _escape_formula(name),
                    result.decision,
                    result.probability,
                    result.points,
                    *(_escape_formula(cells.get(column, "")) for column in further),
                    _escape_formula(reasons),
                    "",
                )
            )
        else:
            blanks = [""] * (4 + len(further))
            fault = describe_fault(table, row, scored.errors.get(row, ""), language)
            writer.writerow((_escape_formula(name), *blanks, _escape_formula(fault)))
    return out.getvalue().encode("utf-8-sig")


def describe_fault(table: Table, row: int, fault: str, language: Language) -> str:
    """Why a row isn't scored, with its line in the file."""
    line = table.lines[row] if table.lines else row + 1
    return language.text("table.line", line=line, fault=fault) if fault else ""


def further_columns(scored: ScoredTable, model: Model) -> list[str]:
    """The names in `read_further` of any result."""
    return list(dict.fromkeys(name for result in scored.results.values() for name in read_further(result, model)))


def read_further(result: Result, model: Model) -> dict[str, float | str]:
    """Column → cell: the amounts of a policy in money, '' = unknown, the rules that decided, and `Result.further`."""
    cells: dict[str, float | str] = {}
    if model.policy.money is not None:
        for name, value in (("expected_loss", result.expected_loss), ("expected_profit", result.expected_profit)):
            cells[name] = "" if value is None else value
    if model.policy.rules:
        cells["rules"] = "; ".join(result.rules)
    return cells | result.further


def _escape_formula(cell: float | str) -> float | str:
    """Prefix a text that a spreadsheet would run as a formula with an apostrophe (OWASP, CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
