"""A model with every kind of field, both languages, a client of a service with a fixed response, and the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from client.api import Api
from client.language import Language, read_language
from client.responses import Field, Model, Policy

SECONDS = 60
"""Timeout of one run of the page, which takes half a second on a quiet machine."""

FIELDS = (
    Field("Amount", "Amount of the loan", "number", unit="EUR", minimum=0.0, maximum=100.0, changeable=True),
    Field("Income", "Income", "number", minimum=0.0, nullable=True),
    Field("Home", "Housing", "category", levels=("own", "rent"), nullable=True),
)


@pytest.fixture(scope="session")
def fields() -> tuple[Field, ...]:
    """A number with bounds, a nullable number and a nullable category."""
    return FIELDS


@pytest.fixture(scope="session")
def model() -> Model:
    """A model with these fields."""
    policy = Policy(0.2, 0.4)
    return Model("test", "2026.01", "ab" * 32, "2026-01-02T03:04:05Z", FIELDS, policy, 516, 28.85, {"auc": 0.8})


@pytest.fixture(scope="session")
def english() -> Language:
    """English without translations of a model."""
    return read_language("en")


@pytest.fixture(scope="session")
def french() -> Language:
    """French with two translations."""
    return replace(read_language("fr"), translations={"Amount of the loan": "Montant du prêt", "rent": "locataire"})


@pytest.fixture
def make_api() -> Callable[..., Api]:
    """Make a client of a service with a fixed response; requests are appended to `seen`."""

    def make(status: int = 200, body: Any = None, *, seen: list[httpx.Request] | None = None, key: str = "") -> Api:
        def respond(request: httpx.Request) -> httpx.Response:
            if seen is not None:
                seen.append(request)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return httpx.Response(status, content=content)

        return Api("http://test", key, transport=httpx.MockTransport(respond))

    return make


@pytest.fixture
def open_app(root: Path, monkeypatch: pytest.MonkeyPatch, service: str) -> Callable[..., AppTest]:
    """Open the page with a query string, connected to a service."""

    def run(url: str = service, **query: str) -> AppTest:
        monkeypatch.chdir(root)
        monkeypatch.setenv("CREDIT_API_URL", url)
        app = AppTest.from_file(root / "client" / "app.py", default_timeout=SECONDS)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return run


def html_of(app: AppTest) -> str:
    """All HTML that the page shows by st.html; the page must have raised no exception."""
    assert not app.exception, app.exception
    return "\n".join(str(element.proto.body) for element in app.get("html"))
