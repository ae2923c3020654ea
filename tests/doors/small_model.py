"""A small model with every kind of field, for the tests of all doors."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from msgspec import structs
from scipy.special import expit

from model.contract import CONTRACT_VERSION, Contract, Golden, Training
from model.loading import load_model
from model.session import Model
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
        "Amount": CardField("Amount of the loan", "number", "EUR", minimum=0.0, maximum=5000.0, reason="High amount"),
        "Income": CardField(
            "Income", "number", minimum=0.0, nullable=True, reason="Low income", missing=(-0.5, 365243.0)
        ),
        "Home, now": CardField("Housing", "category", levels=("own", "rent", "None"), nullable=True, reason="Home"),
        "Client": CardField("Client already", "category", levels=("False", "True"), reason="New client"),
        "Rooms": CardField("Rooms", "category", levels=("1", "2", "3"), nullable=True, reason="Small home"),
        "Debt/Income~12m": CardField(
            "Debt to income", "number", minimum=0.0, maximum=2.0, nullable=True, reason="High debt"
        ),
        "Job": CardField("Job", "category", levels=("clerk", "(other)"), nullable=True, reason="Job"),
    },
    policy=CardPolicy(cost_review=0.4),
)
"""All kinds of fields; levels named like a missing word and like a boolean, a name that needs quotes in CSV.

The model takes incomes greater than −1, as if it took logarithms, and −0.5 and 365243 as missing."""


@cache
def model_content() -> bytes:
    """The bytes of the model file."""
    fields = [
        structs.replace(one, lowest=math.nextafter(-1, 0)) if one.name == "Income" else one for one in make_fields(CARD)
    ]
    X = draw_applicants(list(fields), 400, 5)
    weights = np.array([0.0004, -0.001, 0.7, -1.0, -0.3, 0.6, 0.2])
    y = (np.random.default_rng(5).random(len(X)) < expit(np.nan_to_num(X) @ weights)).astype(int)
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name="test",
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=tuple(fields),
        policy=make_policy(CARD.policy),
        base_value=0.0,
        training=Training("logistic", 400, 0, 0.5, 5, "data", "card", "commit", {}),
        metrics={},
        golden=Golden((), (), ()),
    )
    pipeline = CANDIDATES["logistic"].build(list(CARD.inputs.values()), 5).fit(X, y)
    return export(describe(pipeline), contract, draw_reference(X, 5))


@cache
def model() -> Model:
    """The loaded model."""
    return load_model(model_content())
