"""A small real model, fitted and exported in memory, and a client that talks to its service in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import ModelProto
from sklearn.pipeline import Pipeline
from starlette.types import ASGIApp

from serve.app import make_app
from serve.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from serve.model import Matrix, Model, load_model
from serve.seal import SEAL_KEY, seal
from train.candidates import CANDIDATES
from train.card import Card, CardField, CardPolicy, Dataset
from train.describe import describe_fields
from train.export import draw_reference, export
from train.export.golden import draw_applicants
from train.policy import make_policy

SEED = 5
ROWS = 400

CARD = Card(
    dataset=Dataset(name="test", path="test.csv", target="default", default=1),
    fields={
        "Amount": CardField("Amount of the loan", "number", "EUR", minimum=0.0, maximum=100.0, reason="High amount"),
        "Income": CardField("Income", "number", minimum=0.0, nullable=True, reason="Low income"),
        "Home": CardField("Housing", "category", levels=("own", "rent", "other"), nullable=True, reason="Rented home"),
        "Client": CardField("Client already", "category", levels=("False", "True"), reason="New client"),
        "Debt/Income~12m": CardField("Debt to income", "number", minimum=0.0, maximum=2.0, reason="High debt"),
    },
    policy=CardPolicy(cost_review=0.4),
)
"""Every kind of field: bounded or not, with gaps or not, text and boolean levels, a name that JSON pointers escape."""


class InProcess(httpx.BaseTransport):
    """An ASGI application as the other end of a synchronous httpx client; its failures stay on its side."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run one request through the application."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())


@pytest.fixture(scope="session")
def fields() -> tuple[Field, ...]:
    """The fields of the model, in order."""
    return tuple(describe_fields(CARD))


@pytest.fixture(scope="session")
def learnt(fields: tuple[Field, ...]) -> Matrix:
    """The applicants that the pipeline learnt from: float64, shape (400, 5)."""
    return draw_applicants(list(fields), ROWS, SEED)


@pytest.fixture(scope="session")
def pipeline(learnt: Matrix) -> Pipeline:
    """The pipeline that the model was exported from."""
    amount, income, home, is_client, debt = np.nan_to_num(learnt, nan=0.0).T
    odds = np.exp(0.08 * (amount - 60) - 0.004 * (income - 500) + (home == 1) - is_client + 2 * (debt - 1))
    y = (np.random.default_rng(SEED).random(ROWS) < odds / (1 + odds)).astype(int)
    return CANDIDATES["logistic"].build(list(CARD.inputs.values()), SEED).fit(learnt, y)


@pytest.fixture(scope="session")
def content(pipeline: Pipeline, fields: tuple[Field, ...], learnt: Matrix) -> bytes:
    """The bytes of the model file."""
    training = Training("logistic", ROWS, 0, 0.5, SEED, "data", "card", "commit", {"scikit-learn": "1"})
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name=CARD.dataset.name,
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=fields,
        policy=make_policy(CARD.policy),
        base_value=0.0,
        training=training,
        metrics={"auc": 0.875, "brier": 0.125},
        golden=Golden((), (), ()),
    )
    return export(pipeline, contract, draw_reference(learnt, SEED))


@pytest.fixture(scope="session")
def reseal() -> Callable[[ModelProto], bytes]:
    """Seal a graph that a test has altered, so that checks behind the seal see it."""

    def write(altered: ModelProto) -> bytes:
        kept = [entry for entry in altered.metadata_props if entry.key != SEAL_KEY.decode()]
        del altered.metadata_props[:]
        altered.metadata_props.extend(kept)
        return seal(altered.SerializeToString(deterministic=True))

    return write


@pytest.fixture(scope="session")
def model(content: bytes) -> Model:
    """The loaded model."""
    return load_model(content)


@pytest.fixture(scope="session")
def applicants(fields: tuple[Field, ...]) -> Matrix:
    """Applicants with gaps, for the graph: float64, shape (64, 5)."""
    return draw_applicants(list(fields), 64, SEED + 1)


@pytest.fixture
def named() -> dict[str, Any]:
    """One applicant by name."""
    return {"Amount": 45.5, "Income": 320, "Home": "rent", "Client": True, "Debt/Income~12m": 0.75}


@pytest.fixture
def vector() -> list[Any]:
    """The same applicant as a vector of the graph."""
    return [45.5, 320, 1, 1, 0.75]


@pytest.fixture(scope="session")
def connect() -> Callable[[ASGIApp], httpx.Client]:
    """A client of any application."""
    return lambda app: httpx.Client(transport=InProcess(app), base_url="http://test")


@pytest.fixture(scope="session")
def make_client(connect: Callable[[ASGIApp], httpx.Client]) -> Callable[..., httpx.Client]:
    """A client of the service around any model, with the default settings or others."""
    return lambda model, settings=None: connect(make_app(model, settings))


@pytest.fixture(scope="session")
def client(model: Model, make_client: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of the service around the model."""
    return make_client(model)
