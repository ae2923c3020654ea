"""HTML of the decision and of the tables by field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import components, field_tables
from client.language import Language, read_language
from client.population import population_of
from client.responses import Applicant, Field, Model, Policy, Reason, Result

RESULT = Result(0.264, "refuse", 517, (Reason("Amount", "", "", 0.6, "High amount"),), ())
APPLICANT: Applicant = {"Amount": 1300.0, "Income": None, "Home": "rent"}


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        (0.2, "accepted below 20.0%; reviewed from 20.0% to 40.0%; refused from 40.0% on"),
        (0.4, "accepted below 40.0%; refused from 40.0% on"),
    ],
)
def test_the_gauge_has_the_probability_and_thresholds_as_text(review: float, expected: str, english: Language) -> None:
    """A policy that never reviews has two decisions."""
    drawn = components.gauge(RESULT, Policy(review, 0.4), english)

    assert expected in drawn
    assert "Probability of default: 26.4%" in drawn
    assert 'style="left:26.400%"' in drawn


def test_the_verdict_shows_the_result_before_a_change(model: Model, english: Language) -> None:
    """It is left out if the results are equal."""
    before = Result(0.1, "accept", 560, (), ())

    changed = components.verdict(RESULT, model, english, before=before)
    unchanged = components.verdict(RESULT, model, english, before=RESULT)

    assert "Before the change: Accept, 10.0%, 560 points" in changed
    assert "Before the change" not in unchanged


def test_the_waterfall_is_a_table(model: Model, english: Language) -> None:
    """It has a caption, and rows for the base, each field, the other fields and the total."""
    drawn = field_tables.draw_waterfall(RESULT, model, APPLICANT, english)

    assert re.findall(r'<th scope="row">(.*?)</th>', drawn) == [
        "Base: the average applicant",
        "Amount of the loan",
        "All other fields together",
        "Total",
    ]
    assert "<caption>Points by field</caption>" in drawn
    assert "1,300 EUR" in drawn


def test_ranks_and_comparison_have_a_row_per_field(model: Model, english: Language) -> None:
    """A missing value has its share; differences are bold."""
    population = population_of([APPLICANT, {"Amount": 1.0, "Income": 2.0, "Home": "own"}], model.fields)
    ranks = field_tables.draw_ranks(APPLICANT, model, population, english)
    compared = field_tables.draw_comparison(("1", "2"), (APPLICANT, APPLICANT | {"Home": "own"}), model, english)

    assert re.findall(r"<span>(.*?)</span>", ranks) == [
        "higher than 50.0%",
        "also not known for 50.0%",
        "same as 50.0%",
    ]
    assert re.findall(r"<b>(.*?)</b>", compared) == ["rent", "own"]


@given(st.text())
def test_labels_levels_units_and_ids_are_escaped(text: str) -> None:
    """None of them becomes markup."""
    evil = f"<i>{text}</i>"
    field = Field("f", evil, "category", unit=evil, levels=(evil,))
    model = Model("m", "1", "", "", (field,), Policy(0.2, 0.4), 487, 28.85, {})
    applicant: Applicant = {"f": evil}
    result = Result(0.5, "refuse", 500, (Reason("f", evil, evil, 1.0, evil),), ())
    english = read_language("en")
    population = population_of([applicant], [field])

    drawn = [
        field_tables.draw_waterfall(result, model, applicant, english),
        field_tables.draw_ranks(applicant, model, population, english),
        field_tables.draw_comparison((evil, evil), (applicant, applicant), model, english),
        components.bullets([evil], "x"),
        components.facts({evil: evil}),
        components.heading(evil),
        components.history([(evil, evil, evil)]),
        components.verdict(result, model, english, notes=[evil]),
        field_tables.draw_values(applicant, model, english),
    ]

    assert not any("<i>" in html for html in drawn)
