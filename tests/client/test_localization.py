"""Reasons, warnings and changes in the reader's language."""

from __future__ import annotations

import pytest

from client.language import Language
from client.localization import localize_change, localize_reason, localize_warning, parse_new_value
from client.responses import Change, Field, FieldWarning, Reason, Value

SERVICE_TEXT = "text of the service"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "Montant du prêt\xa0: non renseigné."),
        (-1.0, "Montant du prêt\xa0: -1 EUR, au-dessous du minimum documenté de 0 EUR."),
        (101.0, "Montant du prêt\xa0: 101 EUR, au-dessus du maximum documenté de 100 EUR."),
        (50.0, SERVICE_TEXT),
        ("much", SERVICE_TEXT),
    ],
)
def test_a_warning_is_localized(value: Value, expected: str, fields: tuple[Field, ...], french: Language) -> None:
    """A warning that the client doesn't recognise keeps the text of the service."""
    text = localize_warning(FieldWarning("Amount", SERVICE_TEXT), {"Amount": value}, {"Amount": fields[0]}, french)

    assert text == expected
    assert localize_warning(FieldWarning("New", SERVICE_TEXT), {}, {}, french) == SERVICE_TEXT


def test_a_reason_for_a_missing_value_says_so(fields: tuple[Field, ...], english: Language) -> None:
    """A known value has the reason text of the card."""
    reason = Reason("Income", "Income", "missing", 0.5, "Low income")

    assert localize_reason(reason, {"Income": None}, fields[1], english) == "Income: not known"
    assert localize_reason(reason, {"Income": 3.0}, fields[1], english) == "Low income"


def test_a_number_that_stands_for_a_missing_value_is_not_known(english: Language) -> None:
    """In reasons, warnings and values, as the service takes it."""
    income = Field("Income", "Income", "number", maximum=100.0, nullable=True, missing=(999.0,))
    reason, warning = Reason("Income", "Income", "missing", 0.5, "Low income"), FieldWarning("Income", SERVICE_TEXT)
    applicant: dict[str, Value] = {"Income": 999.0}

    assert localize_reason(reason, applicant, income, english) == "Income: not known"
    assert localize_warning(warning, applicant, {"Income": income}, english) == "Income is not known."
    assert english.value(999.0, income) == "not known"


@pytest.mark.parametrize(
    ("to", "at", "expected"), [("1070 EUR", 0, 1070.0), ("1e+30 EUR", 0, 1e30), ("?", 0, "?"), ("rent", 2, "rent")]
)
def test_the_new_value_of_a_change_is_parsed(to: str, at: int, expected: Value, fields: tuple[Field, ...]) -> None:
    """A number loses its unit; anything else stays text."""
    assert parse_new_value(Change(fields[at].name, "", "", to, 0.1, "accept"), fields[at]) == expected


def test_a_change_has_both_values(fields: tuple[Field, ...], french: Language) -> None:
    """Numbers have the separators of the language."""
    change = Change("Amount", "Amount of the loan", "1300 EUR", "1070.5 EUR", 0.1, "accept")

    assert (
        localize_change(change, {"Amount": 1300.0}, fields[0], french)
        == "Montant du prêt\xa0: 1\u202f070,5 EUR au lieu de 1\u202f300 EUR"
    )
