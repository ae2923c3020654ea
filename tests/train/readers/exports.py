"""A described model exported with a card made from its inputs."""

from __future__ import annotations

from model.contract import Training
from model.loading import load_model
from model.session import Model
from train.card import Card, CardDataset, CardField, CardPolicy
from train.contract import make_contract
from train.dataset import Matrix
from train.export import export
from train.fitted.model import FittedModel, Input


def load_export(described: FittedModel, reference: Matrix) -> Model:
    """The loaded export; an open category gets a last level 'other'."""
    fields = {one.name: _make_field(one) for one in described.inputs}
    card = Card(CardDataset("test", "test.csv", "default", 1), fields, CardPolicy(threshold=0.5))
    training = Training(described.estimator, 0, 0, None, 0, "data", "card", "commit", {})
    contract = make_contract(card, training, "2026-01-02T03:04:05Z", {})
    return load_model(export(described, contract, reference))


def _make_field(one: Input) -> CardField:
    if not one.levels:
        return CardField(one.name, "number", minimum=-9.0, maximum=9.0, nullable=one.nullable, reason="r")
    levels = (*map(str, one.levels), *(["other"] if one.is_open else []))
    return CardField(one.name, "category", levels=levels, nullable=one.nullable, reason="r")
