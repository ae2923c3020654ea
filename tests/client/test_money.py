"""A policy in money and with rules on the loan officer's page: limits of the applicant, profit, rules, the letter."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from client import components
from client.language import Language, read_language
from client.letter import Parties, write_letter
from client.localization import describe_reason
from client.money import find_own_policy
from client.portfolio import ScoredTable, write_results
from client.responses import Applicant, ExposureField, Field, Model, Money, Policy, Reason, Result, Rule
from client.table import Table
from client.waterfall import steps
from model import money
from tests.client.conftest import html_of

CONDITION = {
    "type": "joined",
    "parts": [
        {"type": "compares", "input": {"field": "Amount", "column": 0}, "times": {"field": "Income", "column": 1}},
        {"type": "is_missing", "input": {"field": "Amount", "column": 0}},
    ],
}

APPLICANT: Applicant = {"Amount": 1300.0, "Income": None, "Home": "rent"}

BY_RULE = Reason("Amount", "Limit", "Amount 1300 EUR, Income missing", 0.0, "The loan is too large", "Limit")

RESULT = Result(
    0.3,
    "refuse",
    517,
    (BY_RULE, Reason("Home", "", "", 0.6, "Housing")),
    (),
    expected_loss=120.0,
    expected_profit=-8.5,
    rules=("Limit",),
)

TABLE = """id,Amount,Income,Home,Client,Debt/Income~12m
debt,20,800,own,True,1.9
safe,20,800,own,True,0.2
poor,20,,own,True,0.2
"""


@pytest.fixture(scope="module")
def priced(fields: tuple[Field, ...]) -> Model:
    """A model whose policy is in money and has a rule."""
    policy = Policy(0.2, 0.4, 10.0, Money(ExposureField("Amount")), (Rule("Limit", CONDITION),))
    return Model("test", "2026.01", "ab" * 32, "2026-01-02T03:04:05Z", fields, policy, 516, 28.85, {"auc": 0.8})


@given(
    st.floats(0.001, 0.999),
    st.floats(1, 1e6),
    st.floats(0.01, 1),
    st.floats(0.001, 1),
    st.none() | st.floats(0.1, 1e3),
)
def test_the_limits_are_those_of_the_applicant(
    p: float, exposure: float, lgd: float, margin: float, review: float | None
) -> None:
    """As the model's own thresholds, from nothing but the answer."""
    priced, nobody, probability = money.Money(exposure, lgd, margin), np.zeros((1, 0)), np.array([p])
    loss, profit = (f(probability, nobody).item() for f in (priced.expected_loss, priced.expected_profit))
    at = priced.thresholds(nobody, review)
    limits = float(np.asarray(at.review_from).item()), float(np.asarray(at.refuse_from).item())
    assume(review is None or abs(review - lgd * exposure * margin / (lgd + margin)) > 1e-6 * review)

    result = Result(p, "accept", 500, (), (), expected_loss=loss, expected_profit=profit)
    own = find_own_policy(result, Policy(0.1, 0.2, review, Money(exposure)))

    assert own is not None
    assert (own.review_from, own.refuse_from) == pytest.approx(limits, rel=1e-6, abs=1e-9)


def test_a_policy_in_costs_has_the_same_limits_for_all(model: Model, english: Language) -> None:
    """And says nothing of money."""
    drawn = components.verdict(Result(0.3, "review", 500, (), ()), model, english)

    assert "accepted below 20.0%; reviewed from 20.0% to 40.0%; refused from 40.0% on" in drawn
    assert "expected" not in drawn


def test_the_verdict_names_rules_and_money(priced: Model, english: Language) -> None:
    """With the limits of this applicant, and what was expected before a change."""
    drawn = components.verdict(RESULT, priced, english, before=Result(0.1, "accept", 560, (), (), (), 40.0, 1310.4))

    assert "Decided by a rule: Limit" in drawn
    assert "If accepted: expected profit −8.50 EUR, expected loss 120 EUR" in drawn
    assert "For this applicant: accepted below 2.5%; reviewed from 2.5% to 93.7%" in drawn
    assert "Before the change: Accept, 10.0%, 560 points, expected profit 1,310 EUR" in drawn


def test_an_unknown_exposure_has_no_limits(priced: Model, french: Language) -> None:
    """The scale has no zones, and the page says so."""
    drawn = components.verdict(Result(0.3, "review", 500, (), ()), priced, french)

    assert "Les seuils dépendent de l’exposition du demandeur, qui n’est pas connue ici." in drawn
    assert "Le profit et la perte attendus ne sont pas connus." in drawn
    assert "<i class=" not in drawn


def test_a_rule_is_told_with_all_the_values_that_it_reads(priced: Model, french: Language) -> None:
    """In the reader's language; a missing one doesn't replace its reason."""
    assert describe_reason(BY_RULE, APPLICANT, priced, french) == (
        "The loan is too large (Montant du prêt\xa0: 1\u202f300 EUR\xa0; Income\xa0: non renseigné)"
    )


def test_the_letter_gives_reasons_of_rules_first(priced: Model, english: Language) -> None:
    """Not as the strongest, and it says that rules were applied."""
    letter = write_letter(APPLICANT, RESULT, priced, Parties("Bank", "Zoë", "A-17", date(2026, 1, 2)), english)

    rule, field = letter.index("The loan is too large (Amount of the loan: 1,300 EUR"), letter.index("Housing (Housing")
    assert rule < field
    assert "The main reasons:" in letter
    assert "the strongest first" not in letter
    assert "by a statistical model and by rules of ours" in letter


def test_a_rule_takes_no_points(priced: Model) -> None:
    """The waterfall is that of the fields."""
    assert [step.field for step in steps(RESULT, priced, 516)] == ["Home", ""]


def test_the_table_has_amounts_and_rules(priced: Model, model: Model, english: Language) -> None:
    """Only of a model whose policy has them."""
    scored, table = (
        ScoredTable({0: RESULT, 1: Result(0.1, "review", 560, (), ())}),
        Table("t", "", ("A", "B"), (APPLICANT, APPLICANT)),
    )

    first, second = csv.DictReader(io.StringIO(write_results(table, scored, priced, english).decode("utf-8-sig")))
    other = write_results(table, scored, model, english).decode("utf-8-sig").splitlines()[0]

    assert (first["expected_loss"], first["expected_profit"], first["rules"]) == ("120.0", "-8.5", "Limit")
    assert (second["expected_loss"], second["expected_profit"], second["rules"]) == ("", "", "")
    assert other == "id,decision,probability,points,reasons,fault"


def test_the_page_shows_money_and_rules(
    open_app: Callable[..., AppTest], money_service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one applicant with the rule first, and of a table with the sums over the accepted."""
    (tmp_path / "table.csv").write_text(TABLE)
    monkeypatch.setenv("CREDIT_TABLE", str(tmp_path / "table.csv"))
    rows: list[dict[str, Any]] = [
        {"Amount": 20, "Income": income, "Home": "own", "Client": "True", "Debt/Income~12m": debt}
        for income, debt in ((800, 1.9), (800, 0.2), (None, 0.2))
    ]
    answer = httpx.post(f"{money_service}/score", json={"applicants": rows}, trust_env=False)
    debt, safe, poor = answer.json()["results"]
    assert (safe["decision"], debt["rules"], poor["expected_profit"]) == ("accept", ["Debt over the limit"], None)

    html = html_of(open_app(money_service))
    assert "Decided by a rule: Debt over the limit" in html
    assert "The debt is above 1.8 incomes (" in html
    assert f"expected loss {read_language('en').amount(debt['expected_loss'])}<" in html

    whole = open_app(money_service, view="portfolio")
    metrics = {metric.label: metric.value for metric in whole.metric}
    assert metrics["Expected profit of the accepted"].startswith(read_language("en").amount(safe["expected_profit"]))
    assert "<dt>Debt over the limit</dt><dd>1</dd>" in html_of(whole)
    assert whole.dataframe[0].value["rules"].tolist() == ["Debt over the limit", "", ""]
