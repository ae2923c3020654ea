"""The letter to an applicant."""

from __future__ import annotations

from datetime import date

import pytest

from client.language import Language
from client.letter import OnRecord, Parties, write_letter
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


@pytest.mark.parametrize(
    ("model_decides", "person_decides", "expected"),
    [
        ("refuse", "refuse", [True, True, True]),
        ("review", "refuse", [True, True, False]),
        ("accept", "refuse", [True, False, False]),
        ("refuse", "accept", [False, False, False]),
        ("refuse", "review", [False, True, False]),
    ],
)
def test_the_letter_is_of_the_decision_that_holds(
    model_decides: Decision, person_decides: Decision, expected: list[bool], model: Model, english: Language
) -> None:
    """A person's reason for a refusal comes first; the model's follow unless it would have accepted, its changes only
    where it refused too."""
    on_record = OnRecord("0195a0c4", date(2025, 12, 24), person_decides, "<b>No proof of income</b>")

    letter = write_letter(APPLICANT, result_of(model_decides), model, PARTIES, english, on_record)

    reasons = ("<li>&lt;b&gt;No proof of income&lt;/b&gt;</li>", "<li>reason 0 (", "Each of these changes alone")
    assert [text in letter for text in reasons] == expected
    assert english.text(f"letter.{person_decides}").replace("'", "&#x27;") in letter
    assert letter.count("<li>") <= 5


def test_the_letter_names_the_decision_on_record(model: Model, english: Language) -> None:
    """By its id and day, and the model that decided then."""
    on_record = OnRecord("0195a0c4", date(2025, 12, 24), "accept", "")

    letter = write_letter(APPLICANT, result_of("accept"), model, PARTIES, english, on_record)

    assert (
        f"<footer>Decision 0195a0c4 of December 24, 2025. Assessed with model test, version {model.version}" in letter
    )
