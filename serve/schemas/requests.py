"""The request bodies of a model, as types made from its contract, and a valid body read through them in one pass.

One description drives three things: msgspec decodes and checks a body against it, `/openapi.json` shows it, and
serve/schemas/faults.py reads a body that doesn't fit it cell by cell, to name every fault.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from model.contract import LARGEST, Field
from model.session import Matrix
from serve.schemas.faults import RawPredictBody, RawScoreBody, check_rows, read_by_cells
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault

Body = bytes | bytearray
Rows = Sequence[Sequence[float | None]] | Matrix
"""One value a field, None or NaN = missing."""

BYTES_OF_MANY = 4_096
"""A body of that size has so many numbers that they are compared with their bounds all at once."""

MOST_REASONS = 4
"""Unless the body says otherwise: no more than four specific reasons help anybody (US Reg B, comment 9(b)(2))."""

BOM = b"\xef\xbb\xbf"

Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Whole = Annotated[float, Meta(ge=-LARGEST, le=LARGEST, multiple_of=1)]
"""A whole number that may be written 4.0, as a client with gaps beside it in a table does."""


class ScoreRequest(Struct, frozen=True):
    """A checked POST /score: the rows, their ids, how many reasons to tell of each, and whether to look for changes."""

    rows: Rows
    ids: Sequence[str | int | None]
    reasons: int
    what_would_change: bool


class RequestSchemas:
    """The typed bodies of a model.

    `applicant`: an applicant by name; `vector`: as a list of values; `row`: as a list of the graph's own numbers.
    `score_body`, `predict_body`: the bodies of POST /score and POST /predict. `most_rows`: the most of one body.
    """

    def __init__(self, fields: Sequence[Field], most_rows: int) -> None:
        self.fields = tuple(fields)
        self.most_rows = most_rows
        self.applicant = _applicant(fields, [f"field_{column}" for column in range(len(fields))])
        try:
            self._named: Any = _applicant(fields, [field.name for field in fields])
        except ValueError:
            # msgspec names no member with a quote, a backslash or a control character: those are read cell by cell.
            self._named = None
        self.vector = tuple[tuple(_either(field, [*_words(field)], by_index=True) for field in fields)]  # type: ignore[misc]
        self.row = tuple[tuple(_either(field, [], by_index=True) for field in fields)]  # type: ignore[misc]
        unbounded = tuple[tuple(_either(field, [], by_index=True, number=float) for field in fields)]  # type: ignore[misc,valid-type]
        many = Meta(min_length=1, max_length=most_rows)
        self.score_body = _score_body(self.applicant, self.vector, many)
        self.predict_body = _predict_body(self.row, many)
        readable = self.score_body if self._named is None else _score_body(self._named, self.vector, many)
        self._decode_score = msgspec.json.Decoder(readable).decode
        self._decode_predict = msgspec.json.Decoder(self.predict_body).decode
        self._decode_unbounded = msgspec.json.Decoder(_predict_body(unbounded, many)).decode
        self._levels = [(column, _words(field)) for column, field in enumerate(fields) if field.kind == "category"]
        self._has_id = "id" not in {field.name for field in fields}

    def read_predict(self, body: Body, *, on_loop: bool) -> Rows:
        """The rows of a POST /predict; raises InvalidApplicants with every fault, or HTTPProblem for too many rows.

        With `on_loop`, Offload for so many cells with a fault among them that naming it would stall the event loop.
        """
        try:
            rows = self._decode_predict(body).data if len(body) < BYTES_OF_MANY else self._read_many_rows(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            if has_bom(body):
                return self.read_predict(body[len(BOM) :], on_loop=on_loop)
            read, _ = read_by_cells(body, RawPredictBody, self.fields, self.most_rows, on_loop)
            refuse_duplicates(body, -1)
            return read.matrix
        refuse_duplicates(body, 1)
        return rows

    def read_score(self, body: Body, *, on_loop: bool) -> ScoreRequest:
        """The request of a POST /score; raises as `read_predict` does."""
        try:
            asked: Any = self._decode_score(body) if self._named else None
        except (msgspec.MsgspecError, RecursionError, ValueError):
            asked = None
        if asked is None:
            if has_bom(body):
                return self.read_score(body[len(BOM) :], on_loop=on_loop)
            read, raw = read_by_cells(body, RawScoreBody, self.fields, self.most_rows, on_loop)
            refuse_duplicates(body, -1)
            return ScoreRequest(read.matrix, read.ids, int(raw.reasons), raw.what_would_change)
        what_would_change = asked.what_would_change is True
        if what_would_change:
            check_rows(len(asked.applicants), self.most_rows, what_would_change=True)
        rows, ids, members = [], [], 3 - (asked.reasons, asked.what_would_change).count(UNSET)
        for applicant in asked.applicants:
            row, given, named = self._read_applicant(applicant)
            rows.append(row)
            ids.append(given)
            members += named
        refuse_duplicates(body, members)
        reasons = MOST_REASONS if asked.reasons is UNSET else int(asked.reasons)
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
        for column, words in self._levels:
            value = row[column]
            # Words, and True and False, have their place in the levels; null stays null, an index is one already.
            if value is not None:
                row[column] = words[value] if value.__class__ in (str, bool) else float(value)
        if given is UNSET:
            given = None
        return row, int(given) if given.__class__ is float else given, members

    def _read_many_rows(self, body: Body) -> Matrix:
        """Raises ValueError for a number that is too large."""
        matrix = to_matrix(self._decode_unbounded(body).data, len(self.fields))
        if np.fmax.reduce(matrix, axis=None) > LARGEST or np.fmin.reduce(matrix, axis=None) < -LARGEST:
            raise ValueError
        return matrix


def to_matrix(rows: Rows, width: int) -> Matrix:
    """Rows of equal length, None = missing, as float64, shape (n, width); a matrix is one already."""
    if isinstance(rows, np.ndarray):
        return rows
    # Packed row by row: three times as fast as numpy's own ways from lists, which may hold anything.
    pack = struct.Struct(f"{width}d").pack
    try:
        parts = [pack(*row) for row in rows]
    except struct.error:
        # Some value is missing.
        return np.array(rows, dtype=np.float64)
    return np.frombuffer(bytearray().join(parts), np.float64).reshape(-1, width)


def refuse_duplicates(body: Body, members: int) -> None:
    """Raise InvalidApplicants if an object of the body, valid JSON of so many members, names a member twice.

    Which one is meant can't be known (RFC 8259, section 4), and msgspec takes the last of them. A body without
    duplicates has as many colons as members, unless a text holds a colon: only then is it searched.
    """
    # One colon, as most bodies have that hold nothing but numbers, is found at once from both ends.
    if (members == 1 and body.find(b":") == body.rfind(b":")) or body.count(b":") == members:
        return
    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        twice.extend(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    try:
        json.loads(body, object_pairs_hook=note)
    except RecursionError as error:
        # It takes more of the stack than msgspec does, which let the body pass.
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except ValueError as error:
        # In a member that msgspec passes over: no UTF-8, or a number of thousands of digits.
        raise InvalidApplicants([Fault("", "the body has a member that is no JSON that can be read")]) from error
    if twice:
        raise InvalidApplicants(
            [Fault("", f"the member {name[:100]!r} appears twice in one object, expected once") for name in twice]
        )


def has_bom(body: Body) -> bool:
    """Whether a body begins with a byte order mark, and then with what may be JSON: a second one is a fault."""
    return body.startswith(BOM) and not body.startswith(BOM, len(BOM))


def _applicant(fields: Sequence[Field], names: Sequence[str]) -> type[Struct]:
    """An object with a member for each field, under these names, and an `id` unless a field has that name.

    Raises ValueError for a name that msgspec can't give to a member.
    """
    members: list[Any] = []
    for column, field in enumerate(fields):
        kind = _either(field, [*_words(field)])
        member = f"field_{column}"
        members.append((member, Union[kind, UnsetType], UNSET) if field.nullable else (member, kind))  # noqa: UP007
    if "id" not in {field.name for field in fields}:
        members.append(("id", Union[str, int, Whole, None, UnsetType], UNSET))  # noqa: UP007
    rename = {f"field_{column}": name for column, name in enumerate(names)}
    return defstruct("Applicant", members, rename=rename, forbid_unknown_fields=True, kw_only=True, gc=False)


def _score_body(named: Any, vector: Any, many: Meta) -> Any:
    applicants = Annotated[list[Union[named, vector]], many]  # noqa: UP007
    members: list[Any] = [
        ("applicants", applicants),
        # Four reasons, and no search for changes, unless told otherwise.
        ("reasons", Union[Annotated[float, Meta(ge=0, le=LARGEST, multiple_of=1)], UnsetType], UNSET),  # noqa: UP007
        ("what_would_change", Union[bool, UnsetType], UNSET),  # noqa: UP007
    ]
    return defstruct("ScoreBody", members, forbid_unknown_fields=True)


def _predict_body(row: Any, many: Meta) -> Any:
    return defstruct("PredictBody", [("data", Annotated[list[row], many])], forbid_unknown_fields=True)


def _either(field: Field, words: Sequence[str | bool], *, by_index: bool = False, number: Any = Number) -> Any:
    """The type of one value: a `number`, or one of the levels; null too where the field may be missing."""
    kinds: list[Any] = [None] if field.nullable else []
    if field.kind == "number":
        kinds.append(number)
    else:
        texts = tuple(word for word in words if isinstance(word, str))
        kinds += [Literal[texts]] if texts else []
        kinds += [bool] if len(texts) < len(words) else []
        # An index may be written 1.0, as a client that takes it from a matrix does.
        kinds += [Annotated[float, Meta(ge=0, le=len(field.levels) - 1, multiple_of=1)]] if by_index else []
    return Union[tuple(kinds)]  # noqa: UP007


def _words(field: Field) -> dict[Any, float]:
    """Each level by its text; a column of booleans has its two words as levels, and takes booleans as well."""
    words: dict[Any, float] = {level: float(index) for index, level in enumerate(field.levels)}
    lower = [level.lower() for level in field.levels]
    if sorted(lower) == ["false", "true"]:
        words |= {True: float(lower.index("true")), False: float(lower.index("false"))}
    return words
