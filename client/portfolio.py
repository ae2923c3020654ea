"""Scoring a whole table in parts; a row that can't be scored is kept with the reason why."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from client.answers import Applicant, Field, Result
from client.api import Api, InvalidApplicants
from client.language import Language
from client.table import Table
from client.wording import word_reason

ROWS_A_REQUEST = 500

_POINTER = re.compile(r"^/applicants/(\d+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Scored:
    """Row of the table → its result, or why it has none."""

    results: dict[int, Result] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)


def score_table(api: Api, applicants: Sequence[Applicant]) -> Iterator[Scored]:
    """Score all rows, a part at a time; the last thing yielded holds every row.

    Raises ApiError if the service can't be used; what was scored before is in what was yielded.
    """
    scored = Scored()
    for start in range(0, len(applicants), ROWS_A_REQUEST):
        _score_part(api, applicants, range(start, min(start + ROWS_A_REQUEST, len(applicants))), scored)
        yield scored


def _score_part(api: Api, applicants: Sequence[Applicant], part: range, scored: Scored) -> None:
    """Post a part; rows that the service finds fault with are set aside and the others posted again."""
    rows = list(part)
    while rows:
        try:
            results = api.score([applicants[row] for row in rows])
        except InvalidApplicants as error:
            faulty = _faults_by_row(error, rows)
            if not faulty:
                raise
            scored.faults.update(faulty)
            rows = [row for row in rows if row not in faulty]
        else:
            scored.results.update(zip(rows, results, strict=True))
            return


def _faults_by_row(error: InvalidApplicants, rows: Sequence[int]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for fault in error.faults:
        match = _POINTER.match(fault.pointer)
        if match and int(match[1]) < len(rows):
            where = fault.pointer[match.end() :]
            found.setdefault(rows[int(match[1])], []).append(f"{where}: {fault.detail}" if where else fault.detail)
    return {row: "; ".join(details) for row, details in found.items()}


def write_results(table: Table, scored: Scored, fields: Sequence[Field], language: Language) -> bytes:
    """Every row of the table as CSV, with a byte-order mark so that spreadsheets read it as UTF-8.

    Columns: id, decision (accept, review, refuse), probability, points, reasons, why not scored.
    """
    known = {about.name: about for about in fields}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("id", "decision", "probability", "points", "reasons", "fault"))
    for row, (name, applicant) in enumerate(zip(table.ids, table.applicants, strict=True)):
        if result := scored.results.get(row):
            reasons = "; ".join(
                word_reason(reason, applicant, known[reason.field], language) for reason in result.reasons
            )
            writer.writerow((_as_text(name), result.decision, result.probability, result.points, _as_text(reasons), ""))
        else:
            writer.writerow((_as_text(name), "", "", "", "", _as_text(scored.faults.get(row, ""))))
    return out.getvalue().encode("utf-8-sig")


def _as_text(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
