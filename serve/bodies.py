"""From the bytes of a request body to checked applicants; each fault ends as a 400 with its place.

A body without a fault is decoded by the model's forms in one pass. Any other is read again, cell by cell, to name
everything that is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from serve.applicants import cut, read_applicants
from serve.duplicates import refuse_duplicates
from serve.exchange import Heavy
from serve.forms import Forms
from serve.messages import Fault, RawPredictBody, RawScoreBody
from serve.problems import InvalidApplicants, too_large

Body = bytes | bytearray
Decoded = TypeVar("Decoded")

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


_decode_raw_predict = msgspec.json.Decoder(RawPredictBody).decode
_decode_raw_score = msgspec.json.Decoder(RawScoreBody).decode


def read_predict(
    body: Body, forms: Forms, most_rows: int, *, is_on_loop: bool = False
) -> Sequence[Sequence[float | None]]:
    """The rows of a POST /predict, one value a field; raises InvalidApplicants, or Refusal for too many.

    With `is_on_loop`, Heavy for so many cells with a fault among them that naming it would stall the event loop.
    """
    try:
        decoded: Any = forms.decode_predict(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _read_predict_by_cells(body, forms, most_rows, is_on_loop)
    refuse_duplicates(body, 1)
    rows: Sequence[Sequence[float | None]] = decoded.data
    return rows


def _read_predict_by_cells(
    body: Body, forms: Forms, most_rows: int, is_on_loop: bool
) -> Sequence[Sequence[float | None]]:
    raw = _decode(_decode_raw_predict, body).data
    check_rows(len(raw), most_rows)
    _stay_light(is_on_loop, raw, forms)
    faults = [
        Fault(f"/data/{number}", f"expected a list of {len(forms.fields)} numbers, one a field")
        for number, row in enumerate(raw)
        if not isinstance(row, list)
    ]
    if faults:
        raise InvalidApplicants(faults)
    refuse_duplicates(body, -1)
    matrix: list[list[float]] = read_applicants(raw, forms.fields, "/data", only_numbers=True).matrix.tolist()
    return matrix


def read_score(body: Body, forms: Forms, most_rows: int, *, is_on_loop: bool = False) -> ScoreRequest:
    """The request of a POST /score; raises InvalidApplicants, Refusal for too many, or Heavy as `read_predict` does."""
    try:
        asked: Any = forms.decode_score(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _read_score_by_cells(body, forms, most_rows, is_on_loop)
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


def _read_score_by_cells(body: Body, forms: Forms, most_rows: int, is_on_loop: bool) -> ScoreRequest:
    asked = _decode(_decode_raw_score, body)
    check_rows(len(asked.applicants) * (ROWS_OF_CHANGES if asked.what_would_change else 1), most_rows)
    _stay_light(is_on_loop, asked.applicants, forms)
    applicants = read_applicants(asked.applicants, forms.fields, "/applicants")
    refuse_duplicates(body, -1)
    return ScoreRequest(applicants.matrix.tolist(), applicants.ids, int(asked.reasons), asked.what_would_change)


def _stay_light(is_on_loop: bool, applicants: Sequence[Any], forms: Forms) -> None:
    if is_on_loop and len(applicants) * len(forms.fields) > CELLS_ON_THE_LOOP:
        raise Heavy


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
