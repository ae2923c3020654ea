"""What is told of columns follows the keys of the card, not what its notes said when it was inferred."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from train.arguments import parse
from train.card import Card, CardField, format_card, read_card
from train.card_inference import Choices, infer_card
from train.card_notes import advise, list_columns, list_remarks
from train.errors import TrainingError
from train.source import open_source
from train.table import Table, read_table

ROWS = 300


@pytest.fixture
def table(write_table: Callable[..., Path]) -> Table:
    """With a protected column, and one with a code for a missing value."""
    rows = np.arange(ROWS)
    return read_table(
        write_table(Sex=np.array(["f", "m"])[rows % 2], days=np.where(rows % 5, rows + 0.5, 365243), number_of_rows=7)
    )


@pytest.fixture
def card(table: Table) -> Card:
    """The card that is inferred."""
    return infer_card(table, Choices("outcome", "number"))


def edit(card: Card, name: str, **changes: object) -> Card:
    """The card after people have changed a field of it."""
    return structs.replace(card, fields=card.fields | {name: structs.replace(card.fields[name], **changes)})


def test_notes_say_nothing_that_a_key_says(card: Card) -> None:
    """Keys can be changed."""
    for field in card.fields.values():
        assert "Not used" not in field.note
        assert "as missing" not in field.note
        assert "--allow" not in field.note


def test_a_protected_field_that_is_used_is_not_told_as_unused(card: Card, table: Table) -> None:
    """Its note stays, as a note."""
    edited = edit(card, "Sex", use=True)

    assert list_columns(card, table)["Sex"].startswith("Not used: sex, which equal-treatment law protects")
    assert "Sex" not in list_columns(edited, table)
    assert list_remarks(edited)["Sex"].startswith("Note in the card: sex, which")


def test_codes_that_are_removed_are_not_told_as_missing(card: Card, tmp_path: Path) -> None:
    """Those that people write are."""
    path = tmp_path / "card.toml"
    path.write_bytes(format_card(edit(card, "days", missing=())))
    removed, changed = read_card(path), edit(card, "days", missing=(-1.0, 365243.0), note="")

    assert list_remarks(card, is_inferred=True)["days"].startswith("365243 counts as missing. 365243 in 60 rows")
    assert "counts as missing" not in list_remarks(removed)["days"]
    assert list_remarks(changed)["days"] == "-1, 365243 count as missing."


def test_notes_of_older_cards_are_read(card: Card, table: Table) -> None:
    """They have the state in them, which may no longer be true."""
    older = edit(card, "Sex", note="Not used: sex, which law protects.")

    assert list_columns(older, table)["Sex"] == "Not used: sex, which law protects."
    assert list_remarks(edit(older, "Sex", use=True))["Sex"] == "Note in the card: sex, which law protects."
    assert list_columns(edit(card, "Sex", note=""), table)["Sex"] == "Not used: use = false in the card."


@pytest.mark.parametrize(
    ("name", "changes", "inferred", "read"),
    [
        ("Sex", {}, " --allow Sex keeps it as an input.", " With use = true it is an input."),
        ("Sex", {"levels": ()}, " --allow Sex keeps it as an input.", " To have it as an input, infer the card again"),
        ("Sex", {"use": True}, "", ""),
        ("days", {}, " If that is a real value: --allow days.", " If that is a real value, remove it from missing."),
        ("days", {"missing": ()}, "", ""),
        ("number_of_rows", {}, "", ""),
    ],
)
def test_the_advice_is_what_works(card: Card, name: str, changes: dict[str, object], inferred: str, read: str) -> None:
    """An option where the card is inferred, a key where it is read."""
    field = edit(card, name, **changes).fields[name]

    assert advise(name, field, is_inferred=True) == inferred
    assert advise(name, field, is_inferred=False).startswith(read)
    assert bool(advise(name, field, is_inferred=False)) == bool(read)


def test_allow_of_an_unused_field_of_a_card_is_refused(card: Card, table: Table, tmp_path: Path) -> None:
    """The card decides; nothing would happen."""
    path = tmp_path / "card.toml"
    path.write_bytes(format_card(card))

    with pytest.raises(TrainingError, match=r"--allow Sex: the field has use = false in the card.*set use = true"):
        open_source(parse([str(path), "--allow", "Sex"]))


def test_a_field_that_was_left_out_by_the_command_line_gets_no_advice() -> None:
    """It was said a moment ago."""
    ignored = CardField("Sex", "category", use=False, note="left out with --ignore.")

    assert advise("Sex", ignored, is_inferred=False) == ""
