"""The card of an imported model, to complete: names, levels, bounds and missing values as the model knows them.

A first import always writes it, also where something is still asked for. It starts with a line that holds the hash of
the rest, so that the next import may replace a card that nobody has edited.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import structs

from model.contract import Field
from model.session import Matrix
from model.vocabulary import OTHER_LEVEL
from train.card import Card, CardDataset, CardField, CardPolicy, format_card
from train.card_inference import round_out
from train.errors import TrainingError, shorten
from train.files import write_whole
from train.fitted.model import FittedModel, Input
from train.importing.ranges import Range
from train.provenance import sha256

FIRST_LINE = "# Written by import; replaced by the next import unless edited. sha256 of the lines below: "


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as every door can carry them, without blanks around them and control characters; never empty or doubled.

    Raises TrainingError if two columns would have the same name.
    """
    cleaned = []
    for number, name in enumerate(names, 1):
        letters = "".join(" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in name)
        cleaned.append(letters.strip() or f"field_{number}")
    if twice := [repr(name) for name, count in Counter(cleaned).items() if count > 1]:
        raise TrainingError(
            f"the model has several columns called {shorten(twice, 5)}; rename all but one, and fit it again"
        )
    return tuple(cleaned)


def number_names(width: int) -> tuple[str, ...]:
    """Names for columns without one: field_01, field_02, …"""
    return tuple(f"field_{number:0{len(str(width))}}" for number in range(1, width + 1))


def make_card(described: FittedModel, dataset: CardDataset, policy: CardPolicy, ranges: Mapping[str, Range]) -> Card:
    """A card with the inputs of a model; `ranges`: by name of the input."""
    fields = {one.name: _make_field(one, ranges.get(one.name, Range())) for one in described.inputs}
    return Card(dataset, fields, policy)


def _make_field(one: Input, known: Range) -> CardField:
    field = CardField(label=one.name, kind="number", nullable=one.nullable, reason=f"Value of {one.name}")
    if one.levels:
        return structs.replace(field, kind="category", levels=list_levels(one))
    # Within what the library takes at all, such as numbers that have a logarithm.
    low = one.lowest if known.minimum is None else max(one.lowest, round_out(known.minimum, down=True))
    high = one.highest if known.maximum is None else min(one.highest, round_out(known.maximum, down=False))
    return structs.replace(
        field, minimum=low if math.isfinite(low) else None, maximum=high if math.isfinite(high) else None
    )


def limit_fields(fields: Sequence[Field], inputs: Sequence[Input]) -> tuple[Field, ...]:
    """The fields of a model with the limits of its inputs; documented bounds beyond them become the limits."""
    return tuple(_limit_field(field, one) for field, one in zip(fields, inputs, strict=True))


def _limit_field(field: Field, one: Input) -> Field:
    return structs.replace(
        field,
        lowest=one.lowest if math.isfinite(one.lowest) else None,
        highest=one.highest if math.isfinite(one.highest) else None,
        minimum=None if field.minimum is None else min(max(field.minimum, one.lowest), one.highest),
        maximum=None if field.maximum is None else max(min(field.maximum, one.highest), one.lowest),
    )


def list_levels(one: Input) -> tuple[str, ...]:
    """The levels of a category as texts, in the model's order; the open level, if it has one, is the last."""
    levels = [str(level) if not _is_whole(level) else str(int(level)) for level in one.levels]
    if one.is_open and OTHER_LEVEL not in levels:
        levels.append(OTHER_LEVEL)
    return tuple(levels)


def _is_whole(level: object) -> bool:
    return isinstance(level, float) and level.is_integer()


def check_inputs(card: Card, described: FittedModel) -> None:
    """Raise TrainingError if the inputs of a card aren't those of the model, in its order; they may be renamed."""
    names = [one.name for one in described.inputs]
    carded = list(card.inputs)
    if len(carded) != len(names):
        absent, extra = (
            [repr(name) for name in names if name not in carded],
            [repr(n) for n in carded if n not in names],
        )
        raise TrainingError(
            f"the card lists {len(carded)} inputs, the model takes {len(names)}; list each, in order"
            + (f"; not in the card: {shorten(absent)}" if absent else "")
            + (f"; not in the model: {shorten(extra)}" if extra else "")
        )
    for one, (name, field) in zip(described.inputs, card.inputs.items(), strict=True):
        if name != one.name and (name in names or one.name in carded):
            raise TrainingError(
                f"the card lists the input {name!r} where the model takes {one.name!r}; keep the model's order: "
                f"{shorten(names, 30)}"
            )
        count = len(list_levels(one)) if one.levels else 0
        if len(field.levels) != count:
            expected = f"the {count} levels {shorten(list_levels(one), 12)}, in this order" if count else "a number"
            raise TrainingError(
                f"field {name!r} of the card has {len(field.levels)} levels, but the model takes {expected}; "
                "correct the card, whose levels may be renamed only"
            )


def check_missing(fields: Sequence[Field], described: FittedModel, applicants: Matrix) -> None:
    """Raise TrainingError for a number that a card takes as missing and the model doesn't."""
    for column, field in enumerate(fields):
        for code in field.missing:
            with_code, without = applicants.copy(), applicants.copy()
            with_code[:, column], without[:, column] = code, np.nan
            if not np.array_equal(described.probability(with_code), described.probability(without), equal_nan=True):
                raise TrainingError(
                    f"field {field.name!r} of the card has missing = {code:.15g}, which this model doesn't take as it "
                    "does a missing value; remove it from the card, or import a model that does"
                )


def find_card_path(out: Path, card: Card) -> Path:
    """Where the card is written; raises TrainingError if another card is there, which somebody has edited."""
    path = out / f"{card.dataset.name}.toml"
    try:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return path
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} can't be read as a card; remove it, or choose another --name") from error
    if first != FIRST_LINE + sha256(rest.encode()):
        raise TrainingError(
            f"{path} exists and was edited; import with it: --card {path}, or remove it, or choose another --name"
        )
    return path


def write_card(path: Path, card: Card) -> None:
    """Write a card with its first line."""
    content = format_card(card)
    write_whole(path, f"{FIRST_LINE}{sha256(content)}\n".encode() + content)
