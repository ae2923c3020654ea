"""Request bodies of POST /score and POST /predict as msgspec types, made from the fields of a model's contract.

msgspec decodes and validates a body with these types in one pass, and GET /openapi.json describes them. A body that
msgspec rejects is read again by serve/schemas/diagnostics.py, which reports every fault.
"""

from __future__ import annotations

import json
import struct
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from model.contract import MAX_MAGNITUDE, Field
from model.session import Matrix
from model.vocabulary import OTHER_LEVEL, index_levels
from serve.schemas.diagnostics import RawPredictBody, RawScoreBody, read_value_by_value
from serve.schemas.json_body import Body, has_bom
from serve.schemas.limits import DEFAULT_REASONS, check_rows
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault

Rows = Sequence[Sequence[float | None]] | Matrix
"""Applicants as rows of one value per field, None or NaN = missing."""

MIN_VECTORIZED_BYTES = 4_096
"""Size of a body from which numpy checks the bounds of its numbers, which is faster than msgspec for many."""

Number = Annotated[float, Meta(ge=-MAX_MAGNITUDE, le=MAX_MAGNITUDE)]
WholeNumber = Annotated[float, Meta(ge=-MAX_MAGNITUDE, le=MAX_MAGNITUDE, multiple_of=1)]
"""A whole number that may be written 4.0, as pandas does in a column with missing values."""


class ScoreRequest(Struct, frozen=True):
    """A validated POST /score; `reasons`: the maximum number for each applicant."""

    rows: Rows
    ids: Sequence[str | int | None]
    reasons: int
    what_would_change: bool


class RequestSchemas:
    """The types of a model's request bodies.

    `applicant`: an applicant by name; `vector`: as a list of values; `row`: as a list of numbers, as the model takes
    them. `score_body`, `predict_body`: the bodies of POST /score and POST /predict, of at most `max_rows` applicants.
    """

    def __init__(self, fields: Sequence[Field], max_rows: int) -> None:
        self.fields = tuple(fields)
        self.max_rows = max_rows
        self.applicant = _applicant_type(fields, [f"field_{column}" for column in range(len(fields))])
        try:
            self._named: Any = _applicant_type(fields, [field.name for field in fields])
        except ValueError:
            # msgspec allows no quote, backslash or control character in a member's name: read_score then always uses
            # serve/schemas/diagnostics.py.
            self._named = None
        self.vector = tuple[tuple(_value_type(field, [*index_levels(field.levels)], by_index=True) for field in fields)]  # type: ignore[misc]
        self.row = tuple[tuple(_value_type(field, [], by_index=True) for field in fields)]  # type: ignore[misc]
        unbounded = tuple[tuple(_value_type(field, [], by_index=True, number=float) for field in fields)]  # type: ignore[misc,valid-type]
        row_count = Meta(min_length=1, max_length=max_rows)
        self.score_body = _score_body_type(self.applicant, self.vector, row_count)
        self.predict_body = _predict_body_type(self.row, row_count)
        readable = self.score_body if self._named is None else _score_body_type(self._named, self.vector, row_count)
        self._decode_score = msgspec.json.Decoder(readable).decode
        self._decode_predict = msgspec.json.Decoder(self.predict_body).decode
        self._decode_unbounded = msgspec.json.Decoder(_predict_body_type(unbounded, row_count)).decode
        self._levels = [
            (column, index_levels(field.levels)) for column, field in enumerate(fields) if field.kind == "category"
        ]
        self._has_id = "id" not in {field.name for field in fields}

    def read_predict(self, body: Body, *, on_event_loop: bool) -> Rows:
        """The rows of a POST /predict; raises InvalidApplicants with every fault, or HTTPProblem for too many rows.

        If `on_event_loop`, raises Offload for an invalid body that is too large to be diagnosed on the event loop.
        """
        try:
            rows = self._decode_predict(body).data if len(body) < MIN_VECTORIZED_BYTES else self._read_many_rows(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            if has_bom(body):
                return self.read_predict(body[len(BOM_UTF8) :], on_event_loop=on_event_loop)
            read, _ = read_value_by_value(body, RawPredictBody, self.fields, self.max_rows, on_event_loop)
            reject_duplicate_members(body, None)
            return read.matrix
        reject_duplicate_members(body, 1)
        return rows

    def read_score(self, body: Body, *, on_event_loop: bool) -> ScoreRequest:
        """The request of a POST /score; raises as `read_predict` does."""
        try:
            request: Any = self._decode_score(body) if self._named else None
        except (msgspec.MsgspecError, RecursionError, ValueError):
            request = None
        if request is None:
            if has_bom(body):
                return self.read_score(body[len(BOM_UTF8) :], on_event_loop=on_event_loop)
            read, raw = read_value_by_value(body, RawScoreBody, self.fields, self.max_rows, on_event_loop)
            reject_duplicate_members(body, None)
            return ScoreRequest(read.matrix, read.ids, int(raw.reasons), raw.what_would_change)
        what_would_change = request.what_would_change is True
        if what_would_change:
            check_rows(len(request.applicants), self.max_rows, what_would_change=True)
        rows, ids = [], []
        # Of the body: `applicants`, and each option that is set.
        members = 1 + (request.reasons is not UNSET) + (request.what_would_change is not UNSET)
        for applicant in request.applicants:
            row, given_id, applicant_members = self._read_applicant(applicant)
            rows.append(row)
            ids.append(given_id)
            members += applicant_members
        reject_duplicate_members(body, members)
        reasons = DEFAULT_REASONS if request.reasons is UNSET else int(request.reasons)
        return ScoreRequest(rows, ids, reasons, what_would_change)

    def _read_applicant(self, applicant: Any) -> tuple[list[float | None], str | int | None, int]:
        """One value a field, the id if one was given, and how many members the object had."""
        given: Any = UNSET
        if isinstance(applicant, tuple):
            row, members = list(applicant), 0
        else:
            row = list(msgspec.structs.astuple(applicant))
            members = len(row) - row.count(UNSET)
            if members < len(row):
                row = [None if value is UNSET else value for value in row]
            if self._has_id:
                given = row.pop()
        for column, indexes in self._levels:
            value = row[column]
            # A text or a boolean becomes the index of its level; a number is an index already.
            if value is not None:
                row[column] = indexes[value] if value.__class__ in (str, bool) else float(value)
        if given is UNSET:
            given = None
        return row, int(given) if given.__class__ is float else given, members

    def _read_many_rows(self, body: Body) -> Matrix:
        """The matrix of a /predict body; raises ValueError for a number out of bounds."""
        matrix = to_matrix(self._decode_unbounded(body).data, len(self.fields))
        if np.fmax.reduce(matrix, axis=None) > MAX_MAGNITUDE or np.fmin.reduce(matrix, axis=None) < -MAX_MAGNITUDE:
            raise ValueError
        return matrix


def to_matrix(rows: Rows, width: int) -> Matrix:
    """Rows of equal length, None = missing, as float64, shape (n, width)."""
    if isinstance(rows, np.ndarray):
        return rows
    # Three times as fast as np.array(rows).
    pack = struct.Struct(f"{width}d").pack
    try:
        parts = [pack(*row) for row in rows]
    except struct.error:
        # struct can't pack None.
        return np.array(rows, dtype=np.float64)
    return np.frombuffer(bytearray().join(parts), np.float64).reshape(-1, width)


def reject_duplicate_members(body: Body, members: int | None) -> None:
    """Raise InvalidApplicants if an object of the body, which is valid JSON, names a member twice.

    `members`: how many members were decoded from all objects of the body, None if that is unknown.

    RFC 8259, section 4, leaves open which of the two counts; msgspec takes the last. A body without duplicates has as
    many colons as members, unless a text holds a colon: only then is the body parsed again.
    """
    # Most bodies of numbers have a single colon, which a search from both ends finds at once.
    if (members == 1 and body.find(b":") == body.rfind(b":")) or body.count(b":") == members:
        return
    twice: list[str] = []

    def collect_duplicates(pairs: list[tuple[str, Any]]) -> None:
        twice.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    try:
        json.loads(body, object_pairs_hook=collect_duplicates)
    except RecursionError as error:
        # json has a lower limit of nesting than msgspec.
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except ValueError as error:
        # In a member that msgspec skips: bytes that are not UTF-8, or a number of thousands of digits.
        raise InvalidApplicants([Fault("", "the body has a member that is no JSON that can be read")]) from error
    if twice:
        raise InvalidApplicants(
            [Fault("", f"the member {name[:100]!r} appears twice in one object, expected once") for name in twice]
        )


def _applicant_type(fields: Sequence[Field], names: Sequence[str]) -> type[Struct]:
    """The type of an object with a member for each field, under these names, and an `id` unless a field has that name.

    Raises ValueError for a name that msgspec doesn't allow.
    """
    members: list[Any] = []
    for column, field in enumerate(fields):
        kind = _value_type(field, [*index_levels(field.levels)])
        member = f"field_{column}"
        members.append((member, Union[kind, UnsetType], UNSET) if field.nullable else (member, kind))  # noqa: UP007
    if "id" not in {field.name for field in fields}:
        members.append(("id", Union[str, int, WholeNumber, None, UnsetType], UNSET))  # noqa: UP007
    rename = {f"field_{column}": name for column, name in enumerate(names)}
    return defstruct("Applicant", members, rename=rename, forbid_unknown_fields=True, kw_only=True, gc=False)


def _score_body_type(named: Any, vector: Any, row_count: Meta) -> Any:
    applicants = Annotated[list[Union[named, vector]], row_count]  # noqa: UP007
    members: list[Any] = [
        ("applicants", applicants),
        ("reasons", Union[Annotated[float, Meta(ge=0, le=MAX_MAGNITUDE, multiple_of=1)], UnsetType], UNSET),  # noqa: UP007
        ("what_would_change", Union[bool, UnsetType], UNSET),  # noqa: UP007
    ]
    return defstruct("ScoreBody", members, forbid_unknown_fields=True)


def _predict_body_type(row: Any, row_count: Meta) -> Any:
    return defstruct("PredictBody", [("data", Annotated[list[row], row_count])], forbid_unknown_fields=True)


def _value_type(field: Field, levels: Sequence[str | bool], *, by_index: bool = False, number: Any = Number) -> Any:
    """The type of a value: `number`, or a level as text, boolean or index; null if the field is nullable."""
    kinds: list[Any] = [None] if field.nullable else []
    if field.kind == "number":
        kinds.append(number)
    else:
        texts = tuple(level for level in levels if isinstance(level, str))
        if OTHER_LEVEL in texts:
            kinds.append(Annotated[str, Meta(pattern=r"\S")])
        elif texts:
            kinds.append(Literal[texts])
        kinds += [bool] if len(texts) < len(levels) else []
        # An index may be written 1.0, as in a JSON list made from a float matrix.
        kinds += [Annotated[float, Meta(ge=0, le=len(field.levels) - 1, multiple_of=1)]] if by_index else []
    return Union[tuple(kinds)]  # noqa: UP007
