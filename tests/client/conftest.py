"""Fields of every kind, a service that fails as told, and a client of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from client.answers import Field, Model, Points, Policy
from client.api import Api
from client.language import Language, plain_language

FIELDS = (
    Field("Amount", "Amount of the loan", "number", unit="EUR", minimum=0.0, maximum=100.0, changeable=True),
    Field("Income", "Income", "number", minimum=0.0, nullable=True),
    Field("Home", "Housing", "category", levels=("own", "rent"), nullable=True),
)


@pytest.fixture(scope="session")
def fields() -> tuple[Field, ...]:
    """A number with bounds, a number with a gap, a category."""
    return FIELDS


@pytest.fixture(scope="session")
def model() -> Model:
    """A model of these fields."""
    policy = Policy(0.2, 0.4, Points(600.0, 50.0, 20.0))
    return Model("test", "2026.01", "ab" * 32, "2026-01-02T03:04:05Z", FIELDS, policy, -1.0, {"auc": 0.8})


@pytest.fixture(scope="session")
def english() -> Language:
    """English, knowing no model."""
    return plain_language("en")


@pytest.fixture(scope="session")
def french() -> Language:
    """French, knowing a few words."""
    language = plain_language("fr")
    return Language("fr", language.texts, {"Amount of the loan": "Montant du prêt", "rent": "locataire"})


@pytest.fixture
def answering() -> Callable[..., Api]:
    """A client of a service that always gives one answer."""

    def make(status: int = 200, body: Any = None, *, seen: list[httpx.Request] | None = None, key: str = "") -> Api:
        def answer(request: httpx.Request) -> httpx.Response:
            if seen is not None:
                seen.append(request)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return httpx.Response(status, content=content)

        return Api("http://test", key, transport=httpx.MockTransport(answer))

    return make
