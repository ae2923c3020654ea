"""The contract of a trained model: what the card, the fit and its origin say of it."""

from __future__ import annotations

from pathlib import Path

from serve.contract import CONTRACT_VERSION, Contract, Field, Golden, Policy, Training
from train.card import Card, format_card
from train.dataset import Dataset
from train.provenance import sha256, trace_origin
from train.quality import Quality


def describe(
    card: Card,
    policy: Policy,
    fit: Dataset,
    holdout: Dataset,
    quality: Quality,
    estimator: str,
    seed: int,
    data_sha256: str,
    inputs: list[Path],
) -> Contract:
    """The contract, except for golden rows and base value, which the export fills in.

    `inputs`: the files the model was made from.
    The version is the day and eight digits of a hash over all that decides the model.
    """
    origin = trace_origin(inputs)
    card_sha256 = sha256(format_card(card))
    decisive = (data_sha256, card_sha256, estimator, seed, origin.commit, sorted(origin.libraries.items()))
    return Contract(
        contract_version=CONTRACT_VERSION,
        name=card.dataset.name,
        version=f"{origin.trained_at[:10].replace('-', '.')}-{sha256(repr(decisive).encode())[:8]}",
        trained_at=origin.trained_at,
        fields=tuple(describe_fields(card)),
        policy=policy,
        base_value=0.0,
        training=Training(
            estimator=estimator,
            rows=len(fit.y),
            holdout_rows=len(holdout.y),
            default_rate=float(fit.y.mean()),
            seed=seed,
            data_sha256=data_sha256,
            card_sha256=card_sha256,
            commit=origin.commit,
            libraries=origin.libraries,
        ),
        metrics=quality.as_dict(),
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
