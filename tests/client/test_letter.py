"""The letter to an applicant."""

from __future__ import annotations

from datetime import date

import pytest

from client.language import Language
from client.letter import Parties, write_letter
from client.responses import Applicant, Change, Decision, Model, Reason, Result

APPLICANT: Applicant = {"Amount": 1300.0, "Income": None, "Home": "rent"}
PARTIES = Parties("Bank", "Zoë", "A-17", date(2026, 1, 2))


def result_of(decision: Decision) -> Result:
    """A result with six reasons, and a change if it is a refusal."""
    reasons = tuple(Reason("Amount", "Amount of the loan", "", 0.1, f"reason {i}") for i in range(6))
    changes = (Change("Amount", "", "", "1070 EUR", 0.1, "accept"),) if decision == "refuse" else ()
    return Result(0.3, decision, 500, reasons, (), changes)


@pytest.mark.parametrize("decision", ["refuse", "review"])
def test_at_most_four_reasons_are_given(decision: Decision, model: Model, english: Language) -> None:
    """They are the strongest, in order, each with its label and value."""
    letter = write_letter(APPLICANT, result_of(decision), model, PARTIES, english)

    assert [f"reason {i} (Amount of the loan: 1,300 EUR)" in letter for i in range(6)] == [True] * 4 + [False] * 2


def test_an_acceptance_has_no_reasons(model: Model, english: Language) -> None:
    """It says only that the application is accepted."""
    letter = write_letter(APPLICANT, result_of("accept"), model, PARTIES, english)

    assert "accepted" in letter
    assert "reason" not in letter


def test_a_refusal_has_changes_and_the_right_to_a_review_by_a_person(model: Model, french: Language) -> None:
    """The French letter has the names, the date in words, and the version and sha256 of the model."""
    letter = write_letter(APPLICANT, result_of("refuse"), model, PARTIES, french)

    for text in (
        '<html lang="fr">',
        "Zoë",
        "2 janvier 2026",
        "Montant du prêt\xa0: 1\u202f070 EUR au lieu de 1\u202f300 EUR",
        "qu’une personne la réexamine",
        model.version,
        model.sha256,
    ):
        assert text in letter


def test_names_and_reference_are_escaped(model: Model, english: Language) -> None:
    """None of them becomes markup."""
    evil = "<script>alert(1)</script>"
    letter = write_letter(APPLICANT, result_of("refuse"), model, Parties(evil, evil, evil, date(2026, 1, 2)), english)

    assert "<script" not in letter
    assert letter.count("&lt;script&gt;") == 5
