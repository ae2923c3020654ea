"""CSV as the body and the response of POST /score: a header of field names, then one line for each applicant."""

from __future__ import annotations

import csv
import io
from array import array

import numpy as np

from model.dialect import DialectOptions
from model.policy import Policy
from model.reasons import MISSING, Reason
from model.results import list_scalars
from serve.schemas.json_body import Body
from serve.schemas.limits import DEFAULT_REASONS, MAX_EVENT_LOOP_TABLE_BYTES, Offload, check_rows
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.requests import RequestSchemas, ScoreRequest
from serve.schemas.responses import Fault, ScoreResponse
from serve.schemas.tables import ApplicantTable, point_to

CSV_TYPE = "text/csv; charset=utf-8; header=present"


def read_csv(schemas: RequestSchemas, body: Body, options: DialectOptions, *, on_event_loop: bool) -> ScoreRequest:
    """Read the applicants of a table.

    Raises InvalidApplicants with every fault (`/lines/2/Income` is in line 2), HTTPProblem for too many rows, and with
    `on_event_loop` Offload for a table that is too large for the event loop.
    """
    if on_event_loop and len(body) > MAX_EVENT_LOOP_TABLE_BYTES:
        raise Offload
    table = ApplicantTable(body, schemas.fields, schemas.id_names, options)
    values = array("d")
    ids: list[str | None] = []
    faults: list[Fault] = []
    for row in table.rows(schemas.max_rows):
        values.extend(row.values)
        ids.append(row.id)
        if on_event_loop and len(faults) > MAX_FAULTS:
            raise Offload
        if len(faults) <= MAX_FAULTS:
            faults += [Fault(point_to(row.line, fault.field), fault.detail) for fault in row.faults]
    check_rows(table.n_rows, schemas.max_rows)
    if not ids:
        raise InvalidApplicants([Fault("/lines", "expected at least one applicant below the header, got none")])
    if faults:
        raise InvalidApplicants(faults)
    return ScoreRequest(np.frombuffer(values).reshape(len(ids), -1), ids, DEFAULT_REASONS, False)


def list_columns(policy: Policy, *, is_recorded: bool = False) -> list[str]:
    """The columns of `write_csv`."""
    rules, decision_id = ["rules"] * bool(policy.rules), ["decision_id"] * is_recorded
    return ["id", *list_scalars(policy), *rules, "reasons", "warnings", "model_version", *decision_id]


def write_csv(response: ScoreResponse, policy: Policy) -> bytes:
    """The results as CSV, one line for each applicant; several rules, reasons or warnings are joined by `; `."""
    out = io.StringIO()
    table = csv.writer(out)
    is_recorded = any(result.decision_id for result in response.results)
    table.writerow(list_columns(policy, is_recorded=is_recorded))
    scalars = list_scalars(policy)
    for result in response.results:
        reasons = "; ".join(_describe_reason(reason) for reason in result.reasons)
        warnings = "; ".join(warning.detail for warning in result.warnings)
        name = "" if result.id is None else _escape_formula(str(result.id))
        cells = [name, *(getattr(result, scalar) for scalar in scalars)]
        cells += ["; ".join(result.rules or ())] * bool(policy.rules)
        cells += [reasons, warnings, response.model.version, *[result.decision_id] * is_recorded]
        table.writerow(cells)
    return out.getvalue().encode()


def _describe_reason(reason: Reason) -> str:
    return reason.text if reason.value == MISSING else f"{reason.text} ({reason.value})"


def _escape_formula(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would run it as a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
