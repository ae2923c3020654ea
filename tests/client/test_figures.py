"""Figures as HTML: right, and safe."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import by_field, figures
from client.answers import Applicant, Field, Model, Points, Policy, Reason, Result
from client.language import Language, plain_language
from client.population import population_of

RESULT = Result(0.264, "refuse", 517, (Reason("Amount", "", "", 0.6, "High amount"),), ())
APPLICANT: Applicant = {"Amount": 1300.0, "Income": None, "Home": "rent"}


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        (0.2, "accepted below 20.0%; reviewed from 20.0% to 40.0%; refused from 40.0% on"),
        (0.4, "accepted below 40.0%; refused from 40.0% on"),
    ],
)
def test_the_gauge_tells_the_thresholds_in_words(review: float, expected: str, english: Language) -> None:
    """A policy without reviews has two answers."""
    drawn = figures.gauge(RESULT, Policy(review, 0.4, Points(600, 50, 20)), english)

    assert expected in drawn
    assert "Probability of default: 26.4%" in drawn
    assert 'style="left:26.400%"' in drawn


def test_the_verdict_tells_what_it_was_before(model: Model, english: Language) -> None:
    """Only where something changed."""
    before = Result(0.1, "accept", 560, (), ())

    assert "As applied for: Accept, 10.0%, 560 points" in figures.verdict(RESULT, model.policy, english, before=before)
    assert "As applied for" not in figures.verdict(RESULT, model.policy, english, before=RESULT)


def test_the_waterfall_is_a_table_that_can_be_read_aloud(model: Model, english: Language) -> None:
    """Caption, heads, a row for base, field, rest and total."""
    drawn = by_field.waterfall(RESULT, model, APPLICANT, english)

    assert ["Base: the average applicant", "Amount of the loan", "All other fields together", "Total"] == re.findall(
        r'<th scope="row">(.*?)</th>', drawn
    )
    assert "<caption>How the points come about</caption>" in drawn
    assert "1,300 EUR" in drawn


def test_standing_and_comparison_name_every_field(model: Model, english: Language) -> None:
    """Gaps too; differences are bold."""
    population = population_of([APPLICANT, {"Amount": 1.0, "Income": 2.0, "Home": "own"}], model.fields)
    stands = by_field.standing(APPLICANT, model, population, english)
    compared = by_field.comparison(("1", "2"), (APPLICANT, APPLICANT | {"Home": "own"}), model, english)

    assert ["higher than 50.0%", "not known for 50.0% either", "same as 50.0%"] == re.findall(
        r"<span>(.*?)</span>", stands
    )
    assert ["rent", "own"] == re.findall(r"<b>(.*?)</b>", compared)


@given(st.text())
def test_nothing_from_outside_becomes_markup(text: str) -> None:
    """Labels, levels, ids, units."""
    evil = f"<i>{text}</i>"
    field = Field("f", evil, "category", unit=evil, levels=(evil,))
    model = Model("m", "1", "", "", (field,), Policy(0.2, 0.4, Points(600, 50, 20)), 0.0, {})
    applicant: Applicant = {"f": evil}
    result = Result(0.5, "refuse", 500, (Reason("f", evil, evil, 1.0, evil),), ())
    english = plain_language("en")
    population = population_of([applicant], [field])

    drawn = [
        by_field.waterfall(result, model, applicant, english),
        by_field.standing(applicant, model, population, english),
        by_field.comparison((evil, evil), (applicant, applicant), model, english),
        figures.bullets([evil], "x"),
        figures.facts({evil: evil}),
    ]

    assert not any("<i>" in html for html in drawn)
