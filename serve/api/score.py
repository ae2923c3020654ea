"""POST /score and POST /predict: decisions with reasons, and probabilities alone.

A body is scored on the event loop if that takes at most some 2 ms, else in the thread for large bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from decisions.record import Answer
    from serve.recording import DecisionLog


class ScoringJob(Struct, frozen=True, gc=False):
    """The applicants of a body, and the function that makes the response from their scores.

    `reasons`: the maximum number for each applicant. `cost`: expected time, as a multiple of scoring one row without
    reasons, which takes some 2 µs. `respond` gets the rows, float64, shape (n, n_fields), their scores, and the ids of
    the decisions if they are recorded; it must not keep rows and scores, since the next job overwrites them. `ids`: of
    the applicants, as given, if the body can have any.
    """

    rows: Rows
    reasons: int
    cost: int
    respond: Callable[[Matrix, Scores, Sequence[str] | None], Response]
    ids: Sequence[str | int | None] | None = None


class ScoredJob(Struct, frozen=True, gc=False):
    """The response to a job, what it follows from, and what is to be recorded before it is sent, if anything is."""

    response: Response
    applicants: Matrix
    scores: Scores
    answer: Answer | None


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
        scored = score_on_event_loop(runtime, read(runtime, request, body, True), state.decision_log)
    except Offload:
        scored = await state.run_offloaded(
            lambda: score_without_limit(runtime, request, body, read, state.decision_log)
        )
    context = request.scope["state"]["context"]
    context.model, context.applicants = runtime.identity.version, len(scored.applicants)
    # Before anything is awaited, since the next job of one row overwrites them.
    state.metrics.record_scores(runtime.identity, runtime.fields, scored.applicants, scored.scores)
    if scored.answer is not None and state.decision_log is not None:
        request_id, shadow = context.request_id.decode(), state.shadow
        waiting = None if shadow is None else shadow.copy(runtime, scored.applicants, scored.answer)
        await state.decision_log.recorder.record(scored.answer, request_id, context.key_name)
        if shadow is not None and waiting is not None:
            shadow.add(waiting)
    return scored.response


def score_on_event_loop(runtime: Runtime, job: ScoringJob, log: DecisionLog | None = None) -> ScoredJob:
    """Score a job and respond; the next job of one row overwrites its rows and scores.

    Raises Offload for a job that costs more than MAX_EVENT_LOOP_ROWS rows.
    """
    if job.cost > MAX_EVENT_LOOP_ROWS:
        raise Offload
    if len(job.rows) == 1:
        session = runtime.row_session
        return _respond(runtime, job, session.row, session.score(job.rows[0], explain=job.reasons > 0), log)
    return _score_batch(runtime, job, log)


def score_without_limit(
    runtime: Runtime, request: Request, body: Body, read: BodyReader, log: DecisionLog | None = None
) -> ScoredJob:
    """Read and score a body whatever its cost, outside the event loop: in a thread, or in the self-test."""
    return _score_batch(runtime, read(runtime, request, body, False), log)


def _score_batch(runtime: Runtime, job: ScoringJob, log: DecisionLog | None) -> ScoredJob:
    matrix = to_matrix(job.rows, len(runtime.fields))
    return _respond(runtime, job, matrix, runtime.model.score(matrix, explain=job.reasons > 0), log)


def _respond(
    runtime: Runtime, job: ScoringJob, applicants: Matrix, scores: Scores, log: DecisionLog | None
) -> ScoredJob:
    if log is None:
        return ScoredJob(job.respond(applicants, scores, None), applicants, scores, None)
    answer = log.describe(runtime, applicants, scores, job.ids, job.reasons)
    response = job.respond(applicants, scores, answer.decision_ids)
    response.headers["x-decision-id"] = answer.decision_ids[0]
    return ScoredJob(response, applicants, scores, answer)


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

    def respond(applicants: Matrix, scores: Scores, decision_ids: Sequence[str] | None) -> Response:
        results = make_results(
            runtime.model,
            applicants,
            scores,
            ids=score_request.ids,
            max_reasons=score_request.reasons,
            what_would_change=score_request.what_would_change,
            decision_ids=decision_ids,
        )
        content = ScoreResponse(results, runtime.identity)
        if is_csv and "json" not in request.headers.get("accept", ""):
            return Response(write_csv(content, runtime.model.contract.policy), media_type=CSV_TYPE)
        return json_response(content)

    rows = score_request.rows
    return ScoringJob(rows, score_request.reasons, cost * len(rows), respond, score_request.ids)


def read_predict(runtime: Runtime, request: Request, body: Body, on_event_loop: bool) -> ScoringJob:
    """The rows of a POST /predict; raises HTTPProblem, or Offload."""
    # A body of so few bytes can't have more rows, so that counting them is spared.
    if on_event_loop and len(body) > MAX_EVENT_LOOP_ROWS and _is_long(body):
        raise Offload
    rows = runtime.schemas.read_predict(body, on_event_loop=on_event_loop)
    return ScoringJob(rows, 0, len(rows), _respond_probabilities)


def _respond_probabilities(applicants: Matrix, scores: Scores, decision_ids: Sequence[str] | None) -> Response:
    return json_response(scores.probability.tolist())


def _is_long(body: Body) -> bool:
    """Whether a body of /predict is too large for the event loop; its number of rows is that of `[`, less one."""
    if len(body) > MAX_EVENT_LOOP_PREDICT_BYTES:
        return True
    # Like `body.count(b"[")`, but five times as fast where there are many.
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("["))) > MAX_EVENT_LOOP_ROWS + 1
