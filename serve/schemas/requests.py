"""Request bodies of POST /score and POST /predict, which msgspec decodes and validates in one pass.

A body that its types reject is read again: of POST /score by serve/schemas/diagnostics.py, which reports every fault;
of POST /predict by serve/schemas/shapes.py, which takes other shapes too.
"""

from __future__ import annotations

import json
import struct
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct
from msgspec.structs import astuple, replace

from model.contract import MAX_MAGNITUDE, Field
from model.session import Matrix
from model.vocabulary import index_levels
from serve.schemas.applicants import make_rules, stack_limits
from serve.schemas.body_types import (
    applicant_type,
    predict_body_type,
    predict_shapes,
    score_body_type,
    value_type,
)
from serve.schemas.diagnostics import read_score_value_by_value
from serve.schemas.json_body import Body, has_bom
from serve.schemas.limits import DEFAULT_REASONS, check_rows
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault
from serve.schemas.shapes import read_shapes

Rows = Sequence[Sequence[float | None]] | Matrix
"""Applicants as rows of one value per field, None or NaN = missing."""

MIN_VECTORIZED_BYTES = 4_096
"""Size of a body from which numpy checks the bounds of its numbers, which is faster than msgspec for many."""


class ScoreRequest(Struct, frozen=True):
    """A validated POST /score; `reasons`: the maximum number for each applicant."""

    rows: Rows
    ids: Sequence[str | int | None]
    reasons: int
    what_would_change: bool


class RequestSchemas:
    """The types of a model's request bodies.

    `row`: an applicant as a list of numbers, as the model takes them. `score_body`, `predict_body`: the bodies of POST
    /score and POST /predict, of at most `max_rows` applicants; `predict_shapes`: what POST /predict takes besides.
    `names`: member of an applicant in these types → its name. `id_names`: the names of members that hold an id.
    """

    def __init__(
        self, fields: Sequence[Field], max_rows: int, id_column: str | None = None, *, ignores_unknown: bool = False
    ) -> None:
        self.fields = tuple(fields)
        self.max_rows = max_rows
        self._rules = make_rules(fields, id_column, ignores_unknown=ignores_unknown)
        self._predict_rules = replace(self._rules, is_lenient=True)
        self.id_names = self._rules.id_names
        self._n_ids = len(self.id_names)
        self.names = {f"field_{column}": field.name for column, field in enumerate(fields)}
        self.names |= {f"id_{number}": name for number, name in enumerate(self.id_names)}
        applicant = applicant_type(self._rules)
        vector: Any = tuple[tuple(value_type(field, [*index_levels(field.levels)], by_index=True) for field in fields)]  # type: ignore[misc]
        self.row = tuple[tuple(value_type(field, [], by_index=True) for field in fields)]  # type: ignore[misc]
        unbounded = tuple[tuple(value_type(field, [], by_index=True, number=float) for field in fields)]  # type: ignore[misc,valid-type]
        row_count = Meta(min_length=1, max_length=max_rows)
        self.score_body = score_body_type(applicant, vector, row_count)
        self.predict_body = predict_body_type(self.row, row_count)
        self.predict_shapes = predict_shapes(self._predict_rules, row_count)
        self._decode_score: Callable[[Body], Any] | None = None
        try:
            readable = score_body_type(applicant_type(self._rules, self.names), vector, row_count)
            self._decode_score = msgspec.json.Decoder(readable).decode
        except ValueError:
            # msgspec allows no quote, backslash or control character in a member's name: read_score then always uses
            # serve/schemas/diagnostics.py.
            pass
        self._decode_predict = msgspec.json.Decoder(self.predict_body).decode
        self._decode_unbounded = msgspec.json.Decoder(predict_body_type(unbounded, row_count)).decode
        self._limits = stack_limits(fields) if any(field.is_limited for field in fields) else None
        self._levels = [
            (column, index_levels(field.levels)) for column, field in enumerate(fields) if field.kind == "category"
        ]

    def read_predict(self, body: Body, *, on_event_loop: bool) -> Rows:
        """The rows of a POST /predict; raises InvalidApplicants with every fault, or HTTPProblem for too many rows.

        If `on_event_loop`, raises Offload for an invalid body that is too large to be diagnosed on the event loop.
        """
        try:
            rows = self._decode_predict(body).data if len(body) < MIN_VECTORIZED_BYTES else self._read_many_rows(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            if has_bom(body):
                return self.read_predict(body[len(BOM_UTF8) :], on_event_loop=on_event_loop)
            matrix = read_shapes(body, self._predict_rules, self.max_rows, on_event_loop=on_event_loop)
            reject_duplicate_members(body, None)
            return matrix
        reject_duplicate_members(body, 1)
        return rows

    def read_score(self, body: Body, *, on_event_loop: bool) -> ScoreRequest:
        """The request of a POST /score; raises as `read_predict` does."""
        try:
            if self._decode_score is not None:
                return self._read_decoded(self._decode_score(body), body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            pass
        if has_bom(body):
            return self.read_score(body[len(BOM_UTF8) :], on_event_loop=on_event_loop)
        read, raw = read_score_value_by_value(body, self._rules, self.max_rows, on_event_loop)
        reject_duplicate_members(body, None)
        return ScoreRequest(read.matrix, read.ids, int(raw.reasons), raw.what_would_change)

    def _read_decoded(self, request: Any, body: Body) -> ScoreRequest:
        """The request of a decoded body; raises ValueError for an applicant with two ids."""
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
            row = list(astuple(applicant))
            absent = row.count(UNSET)
            members = len(row) - absent
            if self._n_ids:
                given = row.pop()
                absent -= given is UNSET
            if self._n_ids > 1:
                other = row.pop()
                absent -= other is UNSET
                given = _take_one(other, given)
            if absent:
                row = [None if value is UNSET else value for value in row]
        for column, indexes in self._levels:
            value = row[column]
            # A text or a boolean becomes the index of its level; a number is an index already.
            if value is not None and value.__class__ is not float:
                row[column] = indexes[value]
        if given is UNSET:
            given = None
        return row, int(given) if given.__class__ is float else given, members

    def _read_many_rows(self, body: Body) -> Matrix:
        """The matrix of a /predict body; raises ValueError for a number out of bounds."""
        matrix = to_matrix(self._decode_unbounded(body).data, len(self.fields))
        if np.fmax.reduce(matrix, axis=None) > MAX_MAGNITUDE or np.fmin.reduce(matrix, axis=None) < -MAX_MAGNITUDE:
            raise ValueError
        if self._limits is not None and ((matrix < self._limits[0]) | (matrix > self._limits[1])).any():
            raise ValueError
        return matrix


def _take_one(first: Any, second: Any) -> Any:
    """The id that was given under two names; raises ValueError if they differ."""
    if first is UNSET or first is None:
        return second
    if second is UNSET or second is None or first == second:
        return first
    raise ValueError


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
