"""Answers of the service in the reader's language."""

from __future__ import annotations

import pytest

from client.answers import Change, Field, Reason, Remark, Value
from client.language import Language
from client.wording import read_change, word_change, word_reason, word_remark

SERVER = "as the service said"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "Montant du prêt\xa0: non renseigné."),
        (-1.0, "Montant du prêt\xa0: -1 EUR, au-dessous du minimum documenté de 0 EUR."),
        (101.0, "Montant du prêt\xa0: 101 EUR, au-dessus du maximum documenté de 100 EUR."),
        (50.0, SERVER),
        ("much", SERVER),
    ],
)
def test_warnings_are_worded_again(value: Value, expected: str, fields: tuple[Field, ...], french: Language) -> None:
    """What the client doesn't know is shown as it came."""
    told = word_remark(Remark("Amount", SERVER), {"Amount": value}, {"Amount": fields[0]}, french)

    assert expected == told
    assert SERVER == word_remark(Remark("New", SERVER), {}, {}, french)


def test_a_reason_for_a_gap_names_the_gap(fields: tuple[Field, ...], english: Language) -> None:
    """A known value has the text of the card."""
    reason = Reason("Income", "Income", "missing", 0.5, "Low income")

    assert "Income: not known" == word_reason(reason, {"Income": None}, fields[1], english)
    assert "Low income" == word_reason(reason, {"Income": 3.0}, fields[1], english)


@pytest.mark.parametrize(
    ("to", "at", "expected"), [("1070 EUR", 0, 1070.0), ("1e+30 EUR", 0, 1e30), ("?", 0, "?"), ("rent", 2, "rent")]
)
def test_a_proposed_value_is_read_back(to: str, at: int, expected: Value, fields: tuple[Field, ...]) -> None:
    """Without its unit; what is no number stays a text."""
    assert expected == read_change(Change(fields[at].name, "", "", to, 0.1, "accept"), fields[at])


def test_a_change_names_both_values(fields: tuple[Field, ...], french: Language) -> None:
    """In the numbers of the language."""
    change = Change("Amount", "Amount of the loan", "1300 EUR", "1070.5 EUR", 0.1, "accept")

    assert "Montant du prêt\xa0: 1\u202f070,5 EUR au lieu de 1\u202f300 EUR" == word_change(
        change, {"Amount": 1300.0}, fields[0], french
    )
