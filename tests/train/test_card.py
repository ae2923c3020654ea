"""Reading, validating and writing a dataset card."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.card import check_card, format_card, read_card
from train.errors import TrainingError

HEAD = '[dataset]\nname = "t"\npath = "t.csv"\ntarget = "y"\ndefault = 1\n'
FIELD = '[fields.a]\nlabel = "A"\nkind = "number"\nreason = "High A"\n'


def test_the_embedded_card_keeps_protected_fields_out_of_the_model(credit_card: Path) -> None:
    """Age and Marital are fields but not inputs; the costs are 5 to 1."""
    card = read_card(credit_card)

    assert set(card.fields) - set(card.inputs) == {"Age", "Marital"}
    assert (card.policy.cost_default, card.policy.cost_good) == (5.0, 1.0)


def test_a_written_card_reads_back_the_same(credit_card: Path, tmp_path: Path) -> None:
    """read_card inverts format_card."""
    card = read_card(credit_card)
    copy = tmp_path / "copy.toml"
    copy.write_bytes(format_card(card))

    assert read_card(copy) == card


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dataset", "can't be used"),
        (HEAD, "missing required field `fields`"),
        (HEAD + "[fields]\n", "at least one input"),
        (HEAD + FIELD + "risc = 'increases'\n", "unknown field `risc`"),
        (HEAD + FIELD + "risk = 'up'\n", "`$.fields[...].risk`, expected increases or decreases; its keys"),
        (HEAD + FIELD + "minimum = 2.0\nmaximum = 1.0\n", "minimum 2.0 above maximum 1.0"),
        (HEAD + FIELD.replace("reason = ", "note = "), "has no reason text"),
        (HEAD + FIELD.replace("number", "category"), "category without levels"),
        (HEAD + FIELD.replace("number", "category") + "levels = ['x', 'x']\n", "a level twice"),
        (HEAD + FIELD.replace("number", "category") + "levels = ['x']\nminimum = 1.0\n", "which only numbers may have"),
        (HEAD + FIELD + "levels = ['x']\n", "is a number and has levels"),
        (HEAD + FIELD.replace("fields.a", "fields.y"), "remove [fields.y]"),
        (HEAD + "[policy]\ncost_good = 0.0\n" + FIELD, "Expected `float` > 0.0"),
        (
            HEAD + "[policy]\nexposure = 9\nlgd = 45\nmargin = 0.1\n" + FIELD,
            "lgd = 45, expected a share of the exposure, above 0 and at most 1",
        ),
        (HEAD.replace('"t"', '"../t"') + FIELD, "matching regex"),
    ],
)
def test_an_invalid_card_is_refused_with_its_fault(tmp_path: Path, text: str, message: str) -> None:
    """The message names the fault, also a misspelt key."""
    path = tmp_path / "card.toml"
    path.write_text(text)

    with pytest.raises(TrainingError) as caught:
        check_card(read_card(path))
    assert message in str(caught.value)
