"""POST /score and POST /predict: what the service answers about applicants."""

from __future__ import annotations

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from model.changes import find_changes
from model.policy import DECISIONS
from model.reasons import name_reasons, warn
from model.session import Matrix, Scores
from serve.api.body import Body
from serve.api.scoring import CHANGES_COST, REASONS_COST, RESULT_COST, ROWS_ON_LOOP, ScoringJob, score_body
from serve.runtime import Runtime
from serve.schemas.csv import CSV_TYPE, read_csv, write_csv
from serve.schemas.problems import Offload
from serve.schemas.requests import RequestSchemas, ScoreRequest
from serve.schemas.responses import Result, ScoreAnswer

JSON = "application/json"

BYTES_ON_LOOP = 32_768
"""A larger body of /score is read, scored and answered in the thread for large bodies."""

NUMBERS_ON_LOOP = 163_840
"""The same for /predict, which holds nothing but numbers: they take less reading."""

_encode = msgspec.json.Encoder().encode


async def score(request: Request) -> Response:
    """POST /score: probability, decision, points, reasons and warnings for each applicant, from JSON or CSV."""
    return await score_body(request, read_score)


async def predict(request: Request) -> Response:
    """POST /predict, the compatible contract: `{"data": [[…], …]}` → one probability a row."""
    return await score_body(request, read_predict)


def read_score(runtime: Runtime, request: Request, body: Body, on_loop: bool) -> ScoringJob:
    """The applicants of a POST /score; raises HTTPProblem, or Offload."""
    if on_loop and len(body) > BYTES_ON_LOOP:
        raise Offload
    is_csv = request.headers.get("content-type", "").lower().startswith("text/csv")
    asked = (read_csv if is_csv else RequestSchemas.read_score)(runtime.schemas, body, on_loop=on_loop)
    weight = RESULT_COST + REASONS_COST * (asked.reasons > 0) + CHANGES_COST * asked.what_would_change

    def respond(applicants: Matrix, scores: Scores) -> Response:
        answer = ScoreAnswer(_results(runtime, asked, applicants, scores), runtime.name)
        if is_csv and "json" not in request.headers.get("accept", ""):
            return Response(write_csv(answer), media_type=CSV_TYPE)
        return Response(_encode(answer), media_type=JSON)

    return ScoringJob(asked.rows, asked.reasons > 0, weight * len(asked.rows), respond)


def read_predict(runtime: Runtime, request: Request, body: Body, on_loop: bool) -> ScoringJob:
    """The rows of a POST /predict; raises HTTPProblem, or Offload."""
    if on_loop and len(body) > ROWS_ON_LOOP and _has_many_numbers(body):
        raise Offload
    rows = runtime.schemas.read_predict(body, on_loop=on_loop)
    return ScoringJob(rows, False, len(rows), _respond_probabilities)


def _respond_probabilities(applicants: Matrix, scores: Scores) -> Response:
    return Response(_encode(scores.probability.tolist()), media_type=JSON)


def _results(runtime: Runtime, asked: ScoreRequest, applicants: Matrix, scores: Scores) -> list[Result]:
    fields, policy = runtime.fields, runtime.model.contract.policy
    results = []
    for number, probability in enumerate(scores.probability.tolist()):
        row, decision = applicants[number], int(scores.decision[number])
        is_asked_for_changes = asked.what_would_change and DECISIONS[decision] == "refuse"
        results.append(
            Result(
                id=asked.ids[number],
                probability=probability,
                decision=DECISIONS[decision],
                points=policy.score_points(probability),
                reasons=name_reasons(row, scores.contributions[number], fields, asked.reasons) if asked.reasons else [],
                warnings=warn(row, fields),
                what_would_change=find_changes(runtime.model, row, decision) if is_asked_for_changes else None,
            )
        )
    return results


def _has_many_numbers(body: Body) -> bool:
    """Whether a body is too large to be read on the event loop, or has too many rows: as many as brackets, less one."""
    if len(body) > NUMBERS_ON_LOOP:
        return True
    # `body.count(b"[")`, in a fifth of the time where there are many.
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("["))) > ROWS_ON_LOOP + 1
