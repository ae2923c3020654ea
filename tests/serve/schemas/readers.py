"""The body readers that tests compare: POST /predict small and large, and POST /score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from model.contract import Field
from model.session import Matrix
from serve.schemas.problems import InvalidApplicants
from serve.schemas.requests import MIN_VECTORIZED_BYTES, RequestSchemas, ScoreRequest, to_matrix
from serve.schemas.responses import Fault

MAX_ROWS = 20
"""MAX_ROWS in these tests."""

Fields = tuple[Field, ...]

schemas_of = cache(lambda fields: RequestSchemas(fields, MAX_ROWS))


@dataclass(frozen=True, slots=True)
class Reader:
    """A body reader, and the member of the body that holds the applicants."""

    key: str
    read: Callable[[bytes, Fields], Matrix]


def read_predict(body: bytes, fields: Fields) -> Matrix:
    """The matrix of a POST /predict."""
    return to_matrix(schemas_of(fields).read_predict(body, on_event_loop=False), len(fields))


def read_score(body: bytes, fields: Fields) -> ScoreRequest:
    """The request of a POST /score."""
    request: ScoreRequest = schemas_of(fields).read_score(body, on_event_loop=False)
    return request


PREDICT = Reader("data", read_predict)
SCORE = Reader("applicants", lambda body, fields: to_matrix(read_score(body, fields).rows, len(fields)))
PREDICT_LARGE = Reader("data", lambda body, fields: read_predict(body.ljust(MIN_VECTORIZED_BYTES), fields))

READERS = {"predict": PREDICT, "score": SCORE, "predict with a large body": PREDICT_LARGE}


def faults_of(reader: Reader, body: bytes, fields: Fields) -> list[Fault]:
    """The faults that a reader finds."""
    with pytest.raises(InvalidApplicants, match=": ") as caught:
        reader.read(body, fields)
    return caught.value.problem.errors
