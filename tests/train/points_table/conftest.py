"""A scorecard of credit_data, exported, and its applicants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from model.contract import Training
from model.loading import load_model
from model.session import Model
from train.candidates import CANDIDATES
from train.card import Card, read_card
from train.contract import make_contract
from train.dataset import Dataset, encode_table
from train.export import draw_reference, export
from train.points_table import workbook
from train.points_table.bins import ContractScorecard
from train.policy import make_policy
from train.readers.describe import describe
from train.table import read_table

BATCH_ROWS = 5
"""Rows of the sheet Batch in the tests, to be short."""


@pytest.fixture(autouse=True)
def _short_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "BATCH_ROWS", BATCH_ROWS)


@pytest.fixture(scope="session")
def credit_data(credit_card: Path) -> tuple[Card, Dataset]:
    """The card and all rows."""
    card = read_card(credit_card)
    return card, encode_table(read_table(credit_card.parent / card.dataset.path), card)


@pytest.fixture(scope="session")
def scorecard_content(credit_data: tuple[Card, Dataset]) -> bytes:
    """The file of a scorecard with a pair, fitted on 1,500 rows."""
    card, everyone = credit_data
    data = everyone.take(np.arange(1_500))
    candidate = CANDIDATES["scorecard"].with_card(card)
    pipeline = candidate.build(list(card.inputs.values()), 0, {"pairs": 1}).fit(data.X, data.y)
    training = Training("scorecard", len(data.y), 0, float(data.y.mean()), 0, "data", "card", "commit", {})
    policy = make_policy(card.policy, card.inputs, data.X)
    contract = make_contract(card, training, "2026-01-02T03:04:05Z", {"auc": 0.84}, policy)
    contract = structs.replace(contract, scorecard=pipeline[-1].scorecard_)
    return export(describe(pipeline), contract, draw_reference(data.X, 0))


@pytest.fixture(scope="session")
def scorecard_model(scorecard_content: bytes) -> Model:
    """The loaded file."""
    return load_model(scorecard_content)


@pytest.fixture(scope="session")
def table(scorecard_model: Model) -> ContractScorecard:
    """Its points table."""
    contract = scorecard_model.contract
    assert contract.scorecard is not None
    return ContractScorecard(contract, contract.scorecard)
