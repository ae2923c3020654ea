"""How a body is scored: on the event loop if that takes no more than some 2 ms, else in the thread for large bodies."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from model.session import Matrix, Scores
from serve.api.body import Body, read_body
from serve.runtime import Runtime
from serve.schemas.problems import Offload
from serve.schemas.requests import Rows, to_matrix
from serve.state import AppState

ROWS_ON_LOOP = 1_000
"""Rows without reasons that are scored on the event loop, some 2 ms in all."""

RESULT_COST, REASONS_COST, CHANGES_COST = 5, 5, 1_000
"""What telling an applicant the result, its reasons, and what would change it costs, in rows without reasons."""


class ScoringJob(Struct, frozen=True, gc=False):
    """The applicants of a body, and how their scores become the response.

    `weight`: in the time of one row without reasons, some 2 µs. `respond` gets the rows, float64, shape (n, n_fields),
    and their scores, good until it returns.
    """

    rows: Rows
    explain: bool
    weight: int
    respond: Callable[[Matrix, Scores], Response]


Reader = Callable[[Runtime, Request, Body, bool], ScoringJob]
"""Reads a body for a model; raises HTTPProblem. The last argument: whether it runs on the event loop; then it raises
Offload for a body that takes too long there."""


async def score_body(request: Request, read: Reader) -> Response:
    """Read the body of a request, score it where it belongs, and count what was scored."""
    state: AppState = request.app.state.service
    body = await read_body(request, state)
    # Taken when the body is whole: a model that was replaced while it arrived is not asked any more.
    runtime = state.runtime
    try:
        job = read(runtime, request, body, True)
        applicants, scores = score_on_loop(runtime, job)
        response = job.respond(applicants, scores)
    except Offload:
        response, applicants, scores = await state.run_large(lambda: score_in_thread(runtime, request, body, read))
    context = request.scope["state"]["context"]
    context.model, context.applicants = runtime.name.version, len(applicants)
    state.metrics.record_scores(runtime.name, runtime.fields, applicants, scores)
    return response


def score_on_loop(runtime: Runtime, job: ScoringJob) -> tuple[Matrix, Scores]:
    """The matrix of a job, float64, shape (n, n_fields), and its scores; of one row good until the next one.

    Raises Offload for more than ROWS_ON_LOOP rows, or what takes as long.
    """
    if job.weight > ROWS_ON_LOOP:
        raise Offload
    if len(job.rows) == 1:
        return runtime.row_session.row, runtime.row_session.score(job.rows[0], explain=job.explain)
    matrix = to_matrix(job.rows, len(runtime.fields))
    return matrix, runtime.model.score(matrix, explain=job.explain)


def score_in_thread(runtime: Runtime, request: Request, body: Body, read: Reader) -> tuple[Response, Matrix, Scores]:
    """Read, score and answer a body away from the event loop."""
    job = read(runtime, request, body, False)
    matrix = to_matrix(job.rows, len(runtime.fields))
    scores = runtime.model.score(matrix, explain=job.explain)
    return job.respond(matrix, scores), matrix, scores
