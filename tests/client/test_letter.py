"""The letter to an applicant."""

from __future__ import annotations

from datetime import date

import pytest

from client.answers import Applicant, Change, Decision, Model, Reason, Result
from client.language import Language
from client.letter import Parties, write_letter

APPLICANT: Applicant = {"Amount": 1300.0, "Income": None, "Home": "rent"}
PARTIES = Parties("Bank", "Zoë", "A-17", date(2026, 1, 2))


def result_of(decision: Decision) -> Result:
    """An answer with six reasons and a change."""
    reasons = tuple(Reason("Amount", "Amount of the loan", "", 0.1, f"reason {i}") for i in range(6))
    changes = (Change("Amount", "", "", "1070 EUR", 0.1, "accept"),) if decision == "refuse" else ()
    return Result(0.3, decision, 500, reasons, (), changes)


@pytest.mark.parametrize("decision", ["refuse", "review"])
def test_at_most_four_reasons_are_given(decision: Decision, model: Model, english: Language) -> None:
    """The strongest, in their order."""
    letter = write_letter(APPLICANT, result_of(decision), model, PARTIES, english)

    assert [True] * 4 + [False] * 2 == [f"reason {i} (Amount of the loan: 1,300 EUR)" in letter for i in range(6)]


def test_a_yes_needs_no_reasons(model: Model, english: Language) -> None:
    """It is accepted, and that is all."""
    letter = write_letter(APPLICANT, result_of("accept"), model, PARTIES, english)

    assert "accepted" in letter
    assert "reason" not in letter


def test_a_refusal_says_what_would_have_changed_it_and_the_right_to_a_person(model: Model, french: Language) -> None:
    """In French too, with the date in words and the model that answered."""
    letter = write_letter(APPLICANT, result_of("refuse"), model, PARTIES, french)

    for words in (
        '<html lang="fr">',
        "Zoë",
        "2 janvier 2026",
        "Montant du prêt\xa0: 1\u202f070 EUR au lieu de 1\u202f300 EUR",
        "qu’une personne la réexamine",
        model.version,
        model.sha256,
    ):
        assert words in letter


def test_nothing_from_outside_becomes_markup(model: Model, english: Language) -> None:
    """Neither names nor ids."""
    evil = "<script>alert(1)</script>"
    letter = write_letter(APPLICANT, result_of("refuse"), model, Parties(evil, evil, evil, date(2026, 1, 2)), english)

    assert "<script" not in letter
    assert 5 == letter.count("&lt;script&gt;")
