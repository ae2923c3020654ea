"""The dataset card: what people know about a table, as typed and validated values.

Read by every step of training. Its keys are documented in data/README.md; an unknown key is refused, so that a typing
error can't silently switch a constraint off.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct

from model.policy import Points
from train.errors import TrainingError

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Cost = Annotated[float, Meta(gt=0)]
CardValue = str | int | float | bool


class CardDataset(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table: its file, target, id column, source and licence."""

    name: Name
    path: str
    target: str
    default: CardValue
    id: str | None = None
    source: str = ""
    licence: str = ""


class CardPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Costs of a wrong decision, all in one unit, and the scale of the points."""

    cost_default: Cost = 5.0
    cost_good: Cost = 1.0
    cost_review: Cost | None = None
    points: Points = Points()


class CardField(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column of the table; `risk`: how the risk changes when the value grows."""

    label: str
    kind: Literal["number", "category"]
    unit: str = ""
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    risk: Literal["increases", "decreases"] | None = None
    reason: str = ""
    changeable: bool = False
    use: bool = True
    note: str = ""


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset card; the order of `fields` is the order of the model's input."""

    dataset: CardDataset
    fields: dict[str, CardField]
    policy: CardPolicy = CardPolicy()

    @property
    def inputs(self) -> dict[str, CardField]:
        """The model's inputs, in order, without the protected fields."""
        return {name: field for name, field in self.fields.items() if field.use}


def read_card(path: Path) -> Card:
    """Read and validate a card.

    Raises TrainingError if the file is absent, isn't TOML, or holds an invalid value.
    """
    try:
        card = msgspec.toml.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise TrainingError(
            f"can't read the card {path}: {error.strerror}; give the path of a .toml file, "
            "or infer a card with: python -m train --data FILE --target COLUMN"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"the card {path} can't be used: {error}; its keys are in data/README.md") from error
    check_card(card)
    return card


def check_card(card: Card) -> None:
    """Raise TrainingError for the first invalid entry of the card."""
    inputs = card.inputs
    if not inputs:
        raise TrainingError("the card has no field with use = true; a model needs at least one input")
    columns = {"target": card.dataset.target, "id": card.dataset.id}
    for role, column in columns.items():
        if column in card.fields:
            raise TrainingError(f"the card lists its {role} {column!r} among the fields; remove [fields.{column}]")
    for name, field in card.fields.items():
        for fault in _faults(field):
            raise TrainingError(f"field {name!r} of the card {fault}")


def _faults(field: CardField) -> list[str]:
    """The faults of one field, each as the end of a sentence."""
    low, high = field.minimum, field.maximum
    checks = {
        "has no reason text; write in plain words why it raises the risk: reason = …": field.use and not field.reason,
        "is a category without levels; list them: levels = […]": field.use
        and field.kind == "category"
        and not field.levels,
        "lists a level twice": len(set(field.levels)) < len(field.levels),
        "is a number and has levels; remove them or set kind = 'category'": field.kind == "number"
        and bool(field.levels),
        "is a category and has bounds or a direction of risk, which only numbers may have; remove them": field.kind
        == "category"
        and (low is not None or high is not None or field.risk is not None),
        f"has minimum {low} above maximum {high}": low is not None and high is not None and low > high,
    }
    return [fault for fault, is_broken in checks.items() if is_broken]


def format_card(card: Card) -> bytes:
    """The card as TOML, ready to be edited; `read_card` reads it back unchanged."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(card))).encode()


def _without_none(value: dict[str, object]) -> dict[str, object]:
    # TOML has no null, so that absent values are left out.
    return {
        key: _without_none(item) if isinstance(item, dict) else item for key, item in value.items() if item is not None
    }
