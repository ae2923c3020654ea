"""From the bytes of a request body to a checked matrix; each fault ends as a 400 with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np

from serve.applicants import Applicants, cut, fits, read_applicants
from serve.contract import Field
from serve.messages import Fault, PredictBody, RawPredictBody, ScoreBody
from serve.model import Matrix
from serve.problems import InvalidApplicants

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A checked POST /score: the applicants, and what to tell of each."""

    applicants: Applicants
    reasons: int
    what_would_change: bool


_decode_predict = msgspec.json.Decoder(PredictBody).decode
_decode_raw_predict = msgspec.json.Decoder(RawPredictBody).decode
_decode_score = msgspec.json.Decoder(ScoreBody).decode


def read_predict(body: bytes, fields: Sequence[Field]) -> Matrix:
    """The rows of a POST /predict as float64, shape (n, n_fields); raises InvalidApplicants."""
    try:
        matrix = np.array(_decode_predict(body).data, dtype=np.float64)
    except (msgspec.MsgspecError, RecursionError, ValueError):  # ValueError: rows of different length
        matrix = None
    if matrix is not None and fits(matrix, fields):
        return matrix
    # Something is wrong: read again, cell by cell, to name every fault.
    rows = _decode(_decode_raw_predict, body).data
    faults = [
        Fault(f"/data/{number}", f"expected a list of {len(fields)} numbers, one a field")
        for number, row in enumerate(rows)
        if not isinstance(row, list)
    ]
    if faults:
        raise InvalidApplicants(faults)
    return read_applicants(rows, fields, "/data", only_numbers=True).matrix


def read_score(body: bytes, fields: Sequence[Field]) -> ScoreRequest:
    """The request of a POST /score; raises InvalidApplicants."""
    asked = _decode(_decode_score, body)
    applicants = read_applicants(asked.applicants, fields, "/applicants")
    return ScoreRequest(applicants, asked.reasons, asked.what_would_change)


def _decode(decode: Callable[[bytes], Body], body: bytes) -> Body:
    try:
        return decode(body)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the body is not UTF-8")]) from error
    except msgspec.MsgspecError as error:
        raise InvalidApplicants([_fault(str(error))]) from error


def _fault(message: str) -> Fault:
    """msgspec's "what - at `$.data[0]`" as a fault with a JSON pointer."""
    if message.startswith("Object contains unknown field"):
        # What follows is the client's own text; these objects stand at the root of the body.
        return Fault("", cut(message))
    detail, _, path = message.partition(" - at `$")
    return Fault("".join(f"/{part}" for part in re.findall(r"[^.\[\]`]+", path)), detail)
