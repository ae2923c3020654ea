"""POST /applicants: the rows of a text table as applicants for POST /score, for pages that show a table before."""

from __future__ import annotations

import math

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from model.contract import Field
from model.dialect import DialectOptions
from serve.api.body import read_body
from serve.api.endpoint import JSON_TYPE, encode_json
from serve.runtime import Runtime
from serve.schemas.json_body import Body
from serve.schemas.problems import too_large
from serve.schemas.responses import TableDialect, TableRow
from serve.schemas.tables import ApplicantTable, Row, read_options
from serve.state import AppState

_encode_into = msgspec.json.Encoder().encode_into


async def read_table(request: Request) -> Response:
    """POST /applicants: every row of a table, with its applicant or its faults; nothing is scored."""
    state: AppState = request.app.state.service
    body = await read_body(request, state)
    runtime, max_bytes = state.runtime, state.settings.max_all_body_bytes
    options = read_options(request.query_params, request.headers.get("content-type", ""))
    content = await state.run_offloaded(lambda: write_table(runtime, body, options, max_bytes))
    request.scope["state"]["context"].model = runtime.identity.version
    return Response(content, media_type=JSON_TYPE)


def write_table(runtime: Runtime, body: Body, options: DialectOptions, max_bytes: int) -> bytes:
    """The JSON of a TableResponse; raises InvalidApplicants, and HTTPProblem (413) for more than `max_bytes` of it.

    It is written row by row, since a table of short rows can have more faults than the memory holds.
    """
    table = ApplicantTable(body, runtime.fields, runtime.schemas.id_names, options, is_first_id=True)
    rows = bytearray()
    for row in table.rows():
        if rows:
            rows += b","
        _encode_into(_describe_row(row, runtime.fields), rows, -1)
        if len(rows) > max_bytes:
            raise too_large("the rows of the table as JSON", f"more than {max_bytes:,} bytes", f"{max_bytes:,}")
    dialect = table.dialect
    decimal = dialect.decimal if dialect.decimal in (".", ",") else None
    described = encode_json(TableDialect(dialect.separator, decimal, dialect.encoding))
    return b"".join((b'{"read_as":', encode_json(str(dialect)), b',"dialect":', described, b',"rows":[', rows, b"]}"))


def _describe_row(row: Row, fields: tuple[Field, ...]) -> TableRow:
    if not row.cells:
        return TableRow(row.line, row.id, None, row.faults)
    faulty = {fault.field for fault in row.faults}
    applicant = {
        field.name: (cell.strip() or None) if field.name in faulty else _read_value(value, field)
        for field, cell, value in zip(fields, row.cells, row.values, strict=True)
    }
    return TableRow(row.line, row.id, applicant, row.faults)


def _read_value(value: float, field: Field) -> float | str | None:
    """What POST /score takes for a value of the graph."""
    if math.isnan(value):
        return None
    return field.levels[int(value)] if field.kind == "category" else value
