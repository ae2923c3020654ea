"""Clients of the service in this process, around the small model of tests/conftest.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from model.session import Model
from serve.app import create_app_for_model


class InProcess(httpx.BaseTransport):
    """An httpx transport to an ASGI application, whose exceptions are not raised in the client."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run one request through the application."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        content = b"".join([part async for part in response.aiter_raw()])
        return httpx.Response(response.status_code, headers=response.headers, content=content)


@pytest.fixture
def named() -> dict[str, Any]:
    """One applicant by name."""
    return {"Amount": 45.5, "Income": 320, "Home": "rent", "Client": True, "Debt/Income~12m": 0.75}


@pytest.fixture
def vector() -> list[Any]:
    """The same applicant as a vector."""
    return [45.5, 320, 1, 1, 0.75]


@pytest.fixture(scope="session")
def connect() -> Callable[[ASGIApp], httpx.Client]:
    """A function that makes a client of an application."""
    return lambda app: httpx.Client(transport=InProcess(app), base_url="http://test")


@pytest.fixture(scope="session")
def make_client(connect: Callable[[ASGIApp], httpx.Client]) -> Callable[..., httpx.Client]:
    """A function that makes a client of the service around a model, with optional settings."""
    return lambda model, settings=None: connect(create_app_for_model(model, settings))


@pytest.fixture(scope="session")
def client(model: Model, make_client: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of the service around the model."""
    return make_client(model)
