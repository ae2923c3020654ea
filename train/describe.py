"""The contract of a model: what its card, its fit and its origin say of it."""

from __future__ import annotations

import msgspec

from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from train.card import Card
from train.policy import make_policy
from train.provenance import sha256


def describe(card: Card, training: Training, trained_at: str, metrics: dict[str, float]) -> Contract:
    """The contract, except for golden rows and base value, which the export fills in.

    The version is the day and eight digits of a hash over all that decides the model.
    """
    decisive = sha256(msgspec.json.encode(training, order="deterministic"))
    return Contract(
        contract_version=CONTRACT_VERSION,
        name=card.dataset.name,
        version=f"{trained_at[:10].replace('-', '.')}-{decisive[:8]}",
        trained_at=trained_at,
        fields=tuple(describe_fields(card)),
        policy=make_policy(card.policy),
        base_value=0.0,
        training=training,
        metrics=metrics,
        golden=Golden((), (), ()),
    )


def describe_fields(card: Card) -> list[Field]:
    """The model's inputs as the contract names them, in order."""
    return [
        Field(
            name=name,
            label=field.label,
            unit=field.unit,
            kind=field.kind,
            levels=field.levels,
            minimum=field.minimum,
            maximum=field.maximum,
            nullable=field.nullable,
            reason=field.reason,
            changeable=field.changeable,
        )
        for name, field in card.inputs.items()
    ]
