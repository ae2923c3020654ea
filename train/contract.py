"""Making a model's contract from its dataset card and the facts of its training."""

from __future__ import annotations

import msgspec

from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.policy import Policy
from train.card import Card, CardField
from train.policy import make_policy
from train.provenance import sha256


def make_contract(
    card: Card, training: Training, trained_at: str, metrics: dict[str, float], policy: Policy | None = None
) -> Contract:
    """The contract without golden rows and base value, which the export adds.

    `policy`: that of the card, made with the training rows; made without them if None.
    The version is the day and eight digits of a hash of the training facts, which determine the model.
    """
    fingerprint = sha256(msgspec.json.encode(training, order="deterministic"))
    return Contract(
        contract_version=CONTRACT_VERSION,
        name=card.dataset.name,
        version=f"{trained_at[:10].replace('-', '.')}-{fingerprint[:8]}",
        trained_at=trained_at,
        fields=tuple(make_fields(card)),
        policy=make_policy(card.policy, card.inputs) if policy is None else policy,
        base_value=0.0,
        training=training,
        metrics=metrics,
        golden=Golden((), (), ()),
        id=card.dataset.id,
    )


def make_fields(card: Card) -> list[Field]:
    """The model's inputs as fields of the contract, in order."""
    return [make_field(name, field) for name, field in card.inputs.items()]


def make_field(name: str, field: CardField) -> Field:
    """A field of the card as a field of the contract."""
    return Field(
        name=name,
        label=field.label,
        unit=field.unit or ("days" if field.start is not None else ""),
        kind=field.kind,
        levels=field.levels,
        minimum=field.minimum,
        maximum=field.maximum,
        nullable=field.nullable,
        reason=field.reason,
        changeable=field.changeable,
        missing=field.missing,
    )
