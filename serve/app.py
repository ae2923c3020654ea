"""The ASGI application: routes, and what each of them answers.

`create_app` is what uvicorn calls; a model that fails its self-test raises there, before the first
request. Paths and bodies are the public contract of the service.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serve.applicants import warn
from serve.bodies import read_predict, read_score
from serve.changes import find_changes
from serve.contract import DECISIONS
from serve.home import choose_language, read_home
from serve.messages import ModelName, Result, ScoreAnswer, describe_model
from serve.model import Model, load_model
from serve.problems import InvalidApplicants, on_disconnect, on_failure, on_http_error, on_invalid_applicants
from serve.reasons import name_reasons
from serve.settings import read_settings

BYTES_ON_THE_LOOP = 32_768
"""A larger body is read, scored and answered in a worker thread, so that it never stalls the event loop."""

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
            Route("/page.js", show_script),
            Route("/page.css", show_style),
            Route("/predict", predict, methods=["POST"]),
            Route("/score", score, methods=["POST"]),
            Route("/model", show_model),
            Route("/livez", show_live),
            Route("/readyz", show_ready),
        ],
        exception_handlers={
            InvalidApplicants: on_invalid_applicants,
            ClientDisconnect: on_disconnect,
            HTTPException: on_http_error,
            Exception: on_failure,
        },
    )
    app.state.model = model
    app.state.home = read_home(model.contract)
    return app


async def predict(request: Request) -> Response:
    """POST /predict, the compatible contract: `{"data": [[…], …]}` → one probability a row."""
    return await _answer(_predict, request)


async def score(request: Request) -> Response:
    """POST /score: probability, decision, points, reasons and warnings for each applicant."""
    return await _answer(_score, request)


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
    """GET /: a page for people, in the language they ask for."""
    language = choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(request.app.state.home.pages[language], media_type="text/html", headers=headers)


async def show_script(request: Request) -> Response:
    """GET /page.js: the script of the page."""
    return Response(request.app.state.home.script, media_type="text/javascript")


async def show_style(request: Request) -> Response:
    """GET /page.css: its style."""
    return Response(request.app.state.home.style, media_type="text/css")


async def _answer(answer: Callable[[Model, bytes], object], request: Request) -> Response:
    """Read the body, answer it (in a worker thread if it is large), encode the answer."""
    body = await request.body()
    if len(body) > BYTES_ON_THE_LOOP:
        return await run_in_threadpool(lambda: _json(answer(_model(request), body)))
    return _json(answer(_model(request), body))


def _predict(model: Model, body: bytes) -> list[float]:
    probability: list[float] = model.score(read_predict(body, model.contract.fields)).probability.tolist()
    return probability


def _score(model: Model, body: bytes) -> ScoreAnswer:
    fields, policy = model.contract.fields, model.contract.policy
    asked = read_score(body, fields)
    ids, matrix = asked.applicants.ids, asked.applicants.matrix
    scores = model.score(matrix, explain=asked.reasons > 0)
    results = []
    for number, (probability, decision) in enumerate(
        zip(scores.probability.tolist(), scores.decision.tolist(), strict=True)
    ):
        row = matrix[number]
        is_asked_for_changes = asked.what_would_change and DECISIONS[decision] == "refuse"
        results.append(
            Result(
                id=ids[number],
                probability=probability,
                decision=DECISIONS[decision],
                points=policy.score_points(probability),
                reasons=name_reasons(row, scores.contributions[number], fields, asked.reasons) if asked.reasons else [],
                warnings=warn(row, fields),
                what_would_change=find_changes(model, row, decision) if is_asked_for_changes else None,
            )
        )
    return ScoreAnswer(results, _name(model))


def _model(request: Request) -> Model:
    model: Model = request.app.state.model
    return model


def _name(model: Model) -> ModelName:
    return ModelName(model.contract.name, model.contract.version, model.sha256)


def _json(answer: object) -> Response:
    return Response(_encode(answer), media_type="application/json")
