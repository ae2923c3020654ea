"""The dataset card: what people know about a table, as typed, checked values.

Read by every step of training. The keys are documented in data/README.md; a key that isn't
listed there is refused, so that a typing error can't silently switch a constraint off.
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


class Dataset(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table: where it is, what is predicted, whose it is."""

    name: Name
    path: str
    target: str
    default: CardValue
    id: str | None = None
    source: str = ""
    licence: str = ""


class CardPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What each kind of mistake costs, in any one unit, and the scale of the points."""

    cost_default: Cost = 5.0
    cost_good: Cost = 1.0
    cost_review: Cost | None = None
    points: Points = Points()


class CardField(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column of the table; `risk` tells how the risk moves when the value grows."""

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
    """A whole card; the order of `fields` is the order of the model's input."""

    dataset: Dataset
    fields: dict[str, CardField]
    policy: CardPolicy = CardPolicy()

    @property
    def inputs(self) -> dict[str, CardField]:
        """The fields the model may see, in order; protected ones are left out."""
        return {name: field for name, field in self.fields.items() if field.use}


def read_card(path: Path) -> Card:
    """Read and check a card.

    Raises TrainingError if the file is absent, isn't TOML, or says something that can't hold.
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
    """Raise TrainingError for the first statement of the card that can't hold."""
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
    """What can't hold of one field, each as the end of a sentence."""
    low, high = field.minimum, field.maximum
    checks = {
        "has no reason text; say in plain words why it raises the risk: reason = …": field.use and not field.reason,
        "is a category without levels; list them: levels = […]": field.use
        and field.kind == "category"
        and not field.levels,
        "lists a level twice": len(set(field.levels)) < len(field.levels),
        "is a number and has levels; remove them or say kind = 'category'": field.kind == "number"
        and bool(field.levels),
        "is a category and has bounds or a direction of risk; these are for numbers": field.kind == "category"
        and (low is not None or high is not None or field.risk is not None),
        f"has minimum {low} above maximum {high}": low is not None and high is not None and low > high,
    }
    return [fault for fault, is_broken in checks.items() if is_broken]


def format_card(card: Card) -> bytes:
    """The card as TOML, ready to be edited; `read_card` reads it back unchanged."""
    return tomli_w.dumps(_without_none(msgspec.to_builtins(card))).encode()


def _without_none(value: dict[str, object]) -> dict[str, object]:
    # TOML has no null: what isn't there is not written.
    return {
        key: _without_none(item) if isinstance(item, dict) else item for key, item in value.items() if item is not None
    }
