"""The dataset card of the features: labels and reasons from the recipes, bounds and levels from the table.

Its first line holds a checksum: an unedited card may be replaced, an edited one never is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from train.card import Card, CardDataset, CardField, format_card
from train.card_inference import round_out
from train.dataset import MIN_VALUES
from train.errors import TrainingError
from train.features.application import FIELDS, ID, RATIOS, TARGET
from train.features.profile import Profile
from train.features.recipe import Feature

MARK = "# Written by `python -m train features`; once edited, it won't be replaced. Checksum "


def make_fields(features: Iterable[Feature]) -> dict[str, CardField]:
    """The card field of every feature, those of the application first; without bounds and levels."""
    fields = FIELDS | {ratio.name: ratio.field for ratio in RATIOS}
    return fields | {
        feature.name: CardField(label=feature.label, kind="number", unit=feature.unit, nullable=True)
        for feature in features
    }


def make_card(fields: Mapping[str, CardField], profiles: Mapping[str, Profile], table: Path, card: Path) -> Card:
    """The card of the table at `table`, to be written at `card`, with a field for each profile."""
    dataset = CardDataset(
        name="home_credit",
        path=os.path.relpath(table.resolve(), card.resolve().parent),
        target=TARGET,
        default=1,
        id=ID,
        source="Seven tables in the form of Kaggle's Home Credit Default Risk, aggregated by python -m train features",
        licence="That of the seven tables",
    )
    return Card(dataset, {name: _complete(fields[name], profile) for name, profile in profiles.items()})


def check_replaceable(path: Path) -> None:
    """Raise TrainingError if there is an edited card at this path."""
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise TrainingError(f"can't read the card {path}: {error.strerror}; choose another with --card") from error
    if not first.decode(errors="replace").endswith(f"Checksum {_checksum(rest)}"):
        raise TrainingError(
            f"{path} exists and was edited; write the new card elsewhere with --card, or compute the fields "
            f"of this one with --like {path}"
        )


def write_card(card: Card) -> bytes:
    """The card as TOML, with the first line that reveals a later edit."""
    content = format_card(card)
    return f"{MARK}{_checksum(content)}\n".encode() + content


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _complete(field: CardField, profile: Profile) -> CardField:
    """A field with its bounds (rounded outwards) or levels; one with too few values is not used."""
    facts: dict[str, object] = {"nullable": field.nullable or profile.present < profile.rows}
    if field.kind == "category":
        facts["levels"] = profile.levels
    else:
        facts |= {
            "minimum": round_out(profile.minimum, down=True),
            "maximum": round_out(profile.maximum, down=False),
        }
    if field.use and profile.present < MIN_VALUES:
        facts |= {"use": False, "note": f"a value in fewer than {MIN_VALUES} rows."}
    elif field.use:
        facts["reason"] = field.label
    return msgspec.structs.replace(field, **facts)
