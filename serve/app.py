"""The ASGI application: routes, and what each of them answers.

`create_app` is what uvicorn calls; a model that fails its self-test raises there, before the first
request. Paths and bodies are the public contract of the service.
"""

from __future__ import annotations

import os

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from serve.applicants import warn
from serve.bodies import read_predict, read_score
from serve.contract import DECISIONS
from serve.home import home_page
from serve.messages import ModelName, Result, ScoreAnswer, describe_model
from serve.model import Matrix, Model, Scores, load_model
from serve.problems import InvalidApplicants, on_failure, on_http_error, on_invalid_applicants
from serve.settings import read_settings

ROWS_ON_THE_LOOP = 256
"""A larger batch is scored in a worker thread, so that it never stalls the event loop."""

_encode = msgspec.json.Encoder().encode


def create_app() -> Starlette:
    """The application for the settings in the environment.

    Raises SettingsError or ContractError: nothing is served with a wrong setting or an unproven model.
    """
    return make_app(load_model(read_settings(os.environ).model_path))


def make_app(model: Model) -> Starlette:
    """The application around a loaded model."""
    app = Starlette(
        routes=[
            Route("/", show_home),
            Route("/predict", predict, methods=["POST"]),
            Route("/score", score, methods=["POST"]),
            Route("/model", show_model),
            Route("/livez", show_live),
            Route("/readyz", show_ready),
        ],
        exception_handlers={
            InvalidApplicants: on_invalid_applicants,
            HTTPException: on_http_error,
            Exception: on_failure,
        },
    )
    app.state.model = model
    return app


async def predict(request: Request) -> Response:
    """POST /predict, the compatible contract: `{"data": [[…], …]}` → one probability a row."""
    model = _model(request)
    scores = await _score(model, read_predict(await request.body(), model.contract.fields))
    return _json(scores.probability.tolist())


async def score(request: Request) -> Response:
    """POST /score: probability, decision, points and warnings for each applicant."""
    model = _model(request)
    fields, policy = model.contract.fields, model.contract.policy
    applicants = read_score(await request.body(), fields)
    scores = await _score(model, applicants.matrix)
    answers = zip(applicants.ids, applicants.matrix, scores.probability.tolist(), scores.decision.tolist(), strict=True)
    results = [
        Result(
            id=id,
            probability=probability,
            decision=DECISIONS[decision],
            points=policy.score_points(probability),
            warnings=warn(row, fields),
        )
        for id, row, probability, decision in answers
    ]
    return _json(ScoreAnswer(results, _name(model)))


async def show_model(request: Request) -> Response:
    """GET /model: the contract of the file, without its golden rows."""
    model = _model(request)
    return _json(describe_model(model.contract, model.sha256))


async def show_live(request: Request) -> Response:
    """GET /livez: the process answers."""
    return _json({"status": "alive"})


async def show_ready(request: Request) -> Response:
    """GET /readyz: a model is loaded and proven; says which."""
    return _json({"status": "ready", "model": _name(_model(request))})


async def show_home(request: Request) -> Response:
    """GET /: a page for people."""
    return HTMLResponse(home_page(_model(request).contract))


async def _score(model: Model, matrix: Matrix) -> Scores:
    if len(matrix) > ROWS_ON_THE_LOOP:
        return await run_in_threadpool(model.score, matrix)
    return model.score(matrix)


def _model(request: Request) -> Model:
    model: Model = request.app.state.model
    return model


def _name(model: Model) -> ModelName:
    return ModelName(model.contract.name, model.contract.version, model.sha256)


def _json(answer: object) -> Response:
    return Response(_encode(answer), media_type="application/json")
