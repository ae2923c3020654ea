"""From the bytes of a request body to checked applicants; each fault ends as a 400 with its place.

A body without a fault is decoded by the model's forms in one pass. Any other is read again, cell by cell, to name
everything that is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET

from serve.applicants import Applicants, cut, read_applicants
from serve.contract import LARGEST
from serve.duplicates import refuse_duplicates
from serve.exchange import Heavy
from serve.forms import Forms, to_matrix
from serve.messages import Fault, RawPredictBody, RawScoreBody
from serve.model import Matrix
from serve.problems import MOST_FAULTS, InvalidApplicants, too_large

Body = bytes | bytearray

BYTES_OF_MANY = 4_096
"""A body of that size has so many numbers that they are looked at together."""

Decoded = TypeVar("Decoded")
Raw = TypeVar("Raw", bound=RawPredictBody | RawScoreBody)

MOST_REASONS = 4
"""Unless the body says otherwise: no more than four specific reasons help anybody (US Reg B, comment 9(b)(2))."""

ROWS_OF_CHANGES = 100
"""Looking for what would change one refusal counts as so many rows."""

CELLS_ON_THE_LOOP = 2_000
"""Reading cell by cell takes some microseconds each: more are read in a worker thread."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A checked POST /score: rows of values, None or NaN = missing, their ids, and what to tell of each."""

    rows: Sequence[Sequence[float | None]]
    ids: Sequence[str | int | None]
    reasons: int
    what_would_change: bool


def read_predict(
    body: Body, forms: Forms, most_rows: int, *, is_on_loop: bool = False
) -> Sequence[Sequence[float | None]] | Matrix:
    """The rows of a POST /predict, one value a field; raises InvalidApplicants, or Refusal for too many.

    With `is_on_loop`, Heavy for so many cells with a fault among them that naming it would stall the event loop.
    """
    try:
        rows = _read_rows(body, forms) if len(body) < BYTES_OF_MANY else _read_many_rows(body, forms)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _read_by_cells(body, RawPredictBody, forms, most_rows, is_on_loop)[0].matrix
    refuse_duplicates(body, 1)
    return rows


def _read_rows(body: Body, forms: Forms) -> Sequence[Sequence[float | None]]:
    rows: Sequence[Sequence[float | None]] = forms.decode_predict(body).data
    return rows


def _read_many_rows(body: Body, forms: Forms) -> Matrix:
    """Raises ValueError for a number that is too large."""
    matrix = to_matrix(forms.decode_unbounded(body).data, len(forms.fields))
    if np.fmax.reduce(matrix, axis=None) > LARGEST or np.fmin.reduce(matrix, axis=None) < -LARGEST:
        raise ValueError
    return matrix


def read_score(body: Body, forms: Forms, most_rows: int, *, is_on_loop: bool = False) -> ScoreRequest:
    """The request of a POST /score; raises InvalidApplicants, Refusal for too many, or Heavy as `read_predict` does."""
    try:
        asked: Any = forms.decode_score(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        read, raw = _read_by_cells(body, RawScoreBody, forms, most_rows, is_on_loop)
        return ScoreRequest(read.matrix.tolist(), read.ids, int(raw.reasons), raw.what_would_change)
    what_would_change = asked.what_would_change is True
    check_rows(len(asked.applicants) * (ROWS_OF_CHANGES if what_would_change else 1), most_rows)
    applicants = [forms.read(applicant) for applicant in asked.applicants]
    options = (asked.reasons, asked.what_would_change)
    refuse_duplicates(body, 3 - options.count(UNSET) + sum(applicant.members for applicant in applicants))
    return ScoreRequest(
        [applicant.row for applicant in applicants],
        [applicant.id for applicant in applicants],
        MOST_REASONS if asked.reasons is UNSET else int(asked.reasons),
        what_would_change,
    )


def check_rows(rows: int, most: int) -> None:
    """Raise Refusal for more rows than one request may hold."""
    if rows > most:
        note = f"{most:,} rows, where looking for changes counts as {ROWS_OF_CHANGES}"
        raise too_large("too many applicants", f"{rows:,} rows", note)


def _read_by_cells(
    body: Body, kind: type[Raw], forms: Forms, most_rows: int, is_on_loop: bool
) -> tuple[Applicants, Raw]:
    """The applicants of a body, under its first member, and the body as a whole; or all that is wrong with both."""
    key = kind.__struct_fields__[0]
    members, faults = _read_members(body, kind)
    if key not in members:
        raise InvalidApplicants(faults)
    rows = members[key]
    check_rows(len(rows) * (ROWS_OF_CHANGES if members.get("what_would_change") else 1), most_rows)
    if is_on_loop and len(rows) * len(forms.fields) > CELLS_ON_THE_LOOP:
        raise Heavy
    try:
        applicants = read_applicants(rows, forms.fields, f"/{key}", only_numbers=kind is RawPredictBody)
    except InvalidApplicants as error:
        if not faults:
            raise
        raise InvalidApplicants([*faults, *error.faults]) from error
    if faults:
        raise InvalidApplicants(faults)
    refuse_duplicates(body, -1)
    return applicants, kind(**members)


def _read_members(body: Body, kind: type[Raw]) -> tuple[dict[str, Any], list[Fault]]:
    """The members of a body that can be read, and the faults of the others, each looked at by itself.

    Raises InvalidApplicants for a body that is no JSON object.
    """
    whole: Any = kind
    try:
        return msgspec.structs.asdict(_decode(_decoder(whole), body)), []
    except InvalidApplicants as error:
        members: dict[str, Any] = {}
        faults: list[Fault] = []
        known = {field.name: field for field in msgspec.structs.fields(kind)}
        try:
            given = _decoder(dict[str, msgspec.Raw])(body)
            for name in given.keys() & known.keys():
                try:
                    members[name] = _decoder(known[name].type)(given[name])
                except msgspec.ValidationError as wrong:
                    fault = fault_of(str(wrong))
                    faults.append(Fault(f"/{name}{fault.pointer}", fault.detail))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise error from None
        # A small body may have thousands.
        unknown = islice((name for name in given if name not in known), MOST_FAULTS + 1)
        faults += [Fault("", cut(f"Object contains unknown field `{name}`")) for name in unknown]
        missing = [name for name, field in known.items() if field.required and name not in given]
        faults += [Fault("", f"Object missing required field `{name}`") for name in missing]
        return members, sorted(faults, key=lambda fault: fault.pointer)


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    return msgspec.json.Decoder(kind).decode


def _decode(decode: Callable[[Body], Decoded], body: Body) -> Decoded:
    try:
        return decode(body)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the body is not UTF-8")]) from error
    except msgspec.MsgspecError as error:
        raise InvalidApplicants([fault_of(str(error))]) from error


def fault_of(message: str) -> Fault:
    """msgspec's "what - at `$.data[0]`" as a fault with a JSON pointer."""
    if message.startswith("Object contains unknown field"):
        # What follows is the client's own text; these objects stand at the root of the body.
        return Fault("", cut(message))
    detail, _, path = message.partition(" - at `$")
    return Fault("".join(f"/{part}" for part in re.findall(r"[^.\[\]`]+", path)), detail)
