"""A small model, and random portfolios for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.loading import load_model
from model.session import Model
from score.scorer import Scorer
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, CardPolicy
from train.contract import make_fields
from train.export import draw_reference, export
from train.export.golden import draw_applicants
from train.policy import make_policy
from train.readers.describe import describe

CARD = Card(
    dataset=CardDataset(name="test", path="test.csv", target="default", default=1),
    fields={
        "Amount": CardField("Amount of the loan", "number", "EUR", minimum=0.0, maximum=100.0, reason="High amount"),
        "Income": CardField("Income", "number", minimum=0.0, nullable=True, reason="Low income"),
        "Home, now": CardField("Housing", "category", levels=("own", "rent"), nullable=True, reason="Rented home"),
        "Client": CardField("Client already", "category", levels=("False", "True"), reason="New client"),
        "Rooms": CardField("Rooms", "category", levels=("1", "2", "3"), nullable=True, reason="Small home"),
    },
    policy=CardPolicy(cost_review=0.4),
)
"""All kinds of fields; one name needs quotes in CSV."""


@pytest.fixture(scope="session")
def fields() -> tuple[Field, ...]:
    """The fields of the model."""
    return tuple(make_fields(CARD))


@pytest.fixture(scope="session")
def content(fields: tuple[Field, ...]) -> bytes:
    """A logistic model file; unlike trees, its matrix product could depend on the other rows of a batch."""
    X = draw_applicants(list(fields), 400, 5)
    weights = np.array([0.02, -0.001, 0.7, -1.0, -0.3])
    y = (np.random.default_rng(5).random(len(X)) < expit(np.nan_to_num(X) @ weights)).astype(int)
    pipeline = CANDIDATES["logistic"].build(list(CARD.inputs.values()), 5).fit(X, y)
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name="test",
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=fields,
        policy=make_policy(CARD.policy),
        base_value=0.0,
        training=Training("logistic", 400, 0, 0.5, 5, "data", "card", "commit", {}),
        metrics={},
        golden=Golden((), (), ()),
    )
    return export(describe(pipeline), contract, draw_reference(X, 5))


@pytest.fixture(scope="session")
def model(content: bytes) -> Model:
    """The loaded model."""
    return load_model(content)


@pytest.fixture(scope="session")
def scorer(model: Model) -> Scorer:
    """Three reasons a row."""
    return Scorer(model, 3, "id")


@pytest.fixture
def model_path(content: bytes, tmp_path: Path) -> Path:
    """The model as a file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="session")
def draw(fields: tuple[Field, ...]) -> Callable[..., pa.Table]:
    """Draws random applicants: id, numbers with missing values, levels as text, and an unused column."""

    def draw(rows: int, seed: int = 1) -> pa.Table:
        matrix = draw_applicants(list(fields), rows, seed) if rows else np.zeros((0, len(fields)))
        columns = {"id": pa.array([f"A-{row:06}" for row in range(rows)], pa.string())}
        for field, values in zip(fields, matrix.T, strict=True):
            gaps = np.isnan(values)
            if field.kind == "category":
                words = np.array([*field.levels, ""])[np.where(gaps, -1, np.nan_to_num(values)).astype(int)]
                columns[field.name] = pa.array(words, pa.string(), mask=gaps)
            else:
                columns[field.name] = pa.array(values, mask=gaps)
        return pa.table({**columns, "note": pa.array(['a "quoted" note,\nof two lines'] * rows, pa.string())})

    return draw
