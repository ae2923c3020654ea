"""POST /score and POST /predict: decisions with reasons, and probabilities alone.

A body is scored on the event loop if that takes at most some 2 ms, else in the thread for large bodies.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from model.results import make_results
from model.session import Matrix, Scores
from serve.api.body import read_body
from serve.api.endpoint import json_response
from serve.runtime import Runtime
from serve.schemas.csv import CSV_TYPE, read_csv, write_csv
from serve.schemas.json_body import Body
from serve.schemas.limits import (
    CHANGES_COST,
    MAX_EVENT_LOOP_JSON_BYTES,
    MAX_EVENT_LOOP_PREDICT_BYTES,
    MAX_EVENT_LOOP_ROWS,
    REASONS_COST,
    RESULT_COST,
    Offload,
)
from serve.schemas.requests import Rows, to_matrix
from serve.schemas.responses import ScoreResponse
from serve.schemas.tables import read_options
from serve.state import AppState


class ScoringJob(Struct, frozen=True, gc=False):
    """The applicants of a body, and the function that makes the response from their scores.

    `cost`: expected time, as a multiple of scoring one row without reasons, which takes some 2 µs. `respond` gets the
    rows, float64, shape (n, n_fields), and their scores; it must not keep them, since the next job overwrites them.
    """

    rows: Rows
    explain: bool
    cost: int
    respond: Callable[[Matrix, Scores], Response]


BodyReader = Callable[[Runtime, Request, Body, bool], ScoringJob]
"""Reads a body; raises HTTPProblem if it is invalid. The last argument says whether this is the event loop: there it
raises Offload for a body that takes too long."""


async def handle_scoring(request: Request, read: BodyReader) -> Response:
    """Read the body of a request, score its applicants and record the scores in the metrics."""
    state: AppState = request.app.state.service
    body = await read_body(request, state)
    # After the body was read, so that a model that was replaced in the meantime is not used.
    runtime = state.runtime
    try:
        job = read(runtime, request, body, True)
        applicants, scores = score_on_event_loop(runtime, job)
        response = job.respond(applicants, scores)
    except Offload:
        response, applicants, scores = await state.run_offloaded(
            lambda: score_without_limit(runtime, request, body, read)
        )
    context = request.scope["state"]["context"]
    context.model, context.applicants = runtime.identity.version, len(applicants)
    state.metrics.record_scores(runtime.identity, runtime.fields, applicants, scores)
    return response


def score_on_event_loop(runtime: Runtime, job: ScoringJob) -> tuple[Matrix, Scores]:
    """The matrix of a job, float64, shape (n, n_fields), and its scores; the next job of one row overwrites them.

    Raises Offload for a job that costs more than MAX_EVENT_LOOP_ROWS rows.
    """
    if job.cost > MAX_EVENT_LOOP_ROWS:
        raise Offload
    if len(job.rows) == 1:
        return runtime.row_session.row, runtime.row_session.score(job.rows[0], explain=job.explain)
    matrix = to_matrix(job.rows, len(runtime.fields))
    return matrix, runtime.model.score(matrix, explain=job.explain)


def score_without_limit(
    runtime: Runtime, request: Request, body: Body, read: BodyReader
) -> tuple[Response, Matrix, Scores]:
    """Read and score a body whatever its cost, outside the event loop: in a thread, or in the self-test."""
    job = read(runtime, request, body, False)
    matrix = to_matrix(job.rows, len(runtime.fields))
    scores = runtime.model.score(matrix, explain=job.explain)
    return job.respond(matrix, scores), matrix, scores


async def score(request: Request) -> Response:
    """POST /score: probability, decision, points, reasons and warnings for each applicant, from JSON or CSV."""
    return await handle_scoring(request, read_score)


async def predict(request: Request) -> Response:
    """POST /predict: one probability for each applicant; the format is kept for existing clients."""
    return await handle_scoring(request, read_predict)


def read_score(runtime: Runtime, request: Request, body: Body, on_event_loop: bool) -> ScoringJob:
    """The applicants of a POST /score; raises HTTPProblem, or Offload."""
    if on_event_loop and len(body) > MAX_EVENT_LOOP_JSON_BYTES:
        raise Offload
    content_type = request.headers.get("content-type", "")
    is_csv = content_type.lower().startswith("text/csv")
    if is_csv:
        options = read_options(request.query_params, content_type)
        score_request = read_csv(runtime.schemas, body, options, on_event_loop=on_event_loop)
    else:
        score_request = runtime.schemas.read_score(body, on_event_loop=on_event_loop)
    cost = RESULT_COST + REASONS_COST * (score_request.reasons > 0) + CHANGES_COST * score_request.what_would_change

    def respond(applicants: Matrix, scores: Scores) -> Response:
        results = make_results(
            runtime.model,
            applicants,
            scores,
            ids=score_request.ids,
            max_reasons=score_request.reasons,
            what_would_change=score_request.what_would_change,
        )
        content = ScoreResponse(results, runtime.identity)
        if is_csv and "json" not in request.headers.get("accept", ""):
            return Response(write_csv(content), media_type=CSV_TYPE)
        return json_response(content)

    return ScoringJob(score_request.rows, score_request.reasons > 0, cost * len(score_request.rows), respond)


def read_predict(runtime: Runtime, request: Request, body: Body, on_event_loop: bool) -> ScoringJob:
    """The rows of a POST /predict; raises HTTPProblem, or Offload."""
    # A body of so few bytes can't have more rows, so that counting them is spared.
    if on_event_loop and len(body) > MAX_EVENT_LOOP_ROWS and _is_long(body):
        raise Offload
    rows = runtime.schemas.read_predict(body, on_event_loop=on_event_loop)
    return ScoringJob(rows, False, len(rows), _respond_probabilities)


def _respond_probabilities(applicants: Matrix, scores: Scores) -> Response:
    return json_response(scores.probability.tolist())


def _is_long(body: Body) -> bool:
    """Whether a body of /predict is too large for the event loop; its number of rows is that of `[`, less one."""
    if len(body) > MAX_EVENT_LOOP_PREDICT_BYTES:
        return True
    # Like `body.count(b"[")`, but five times as fast where there are many.
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("["))) > MAX_EVENT_LOOP_ROWS + 1
