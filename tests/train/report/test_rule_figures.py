"""What rules hold for, decide and cost; and that fairness is of model and rules together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from model.inputs import Input
from model.money import Money
from model.policy import Policy
from model.rules import Compares, IsOneOf, Rule
from train.card import Card, CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.report.fairness import measure_fairness
from train.report.findings import Findings
from train.report.model_card import render_model_card
from train.report.out_of_sample import OutOfSample
from train.report.report_page import render_report
from train.report.rule_figures import RuleFigures, measure_rules
from train.report.samples import measure_samples
from train.report.verdict import assess

RULES = (
    Rule("Renters", "refuse", "Rents a home", IsOneOf(Input("home", 2), (1.0,))),
    Rule("Also renters", "review", "Rents", IsOneOf(Input("home", 2), (1.0,))),
    Rule("Small | <b>", "review", "Small loan", Compares(Input("amount", 1), "below", 1.2)),
    Rule("Huge", "refuse", "Huge loan", Compares(Input("amount", 1), "above", 1000.0)),
)
POLICY = structs.replace(make_policy(CardPolicy(cost_review=0.4)), rules=RULES)
IN_MONEY = structs.replace(POLICY, stated="money", money=Money(Input("amount", 1), 0.5, 0.1))


def measure(sample: OutOfSample, policy: Policy) -> tuple[RuleFigures, ...]:
    """On all rows."""
    return measure_rules(sample.y, sample.probability, sample.X, judge(policy, sample.probability, sample.X))


@pytest.fixture(scope="module")
def findings_with_rules(findings: Findings, out_of_sample: OutOfSample, card: Card) -> Findings:
    """The same model with a policy in money and rules."""
    return replace(
        findings,
        contract=structs.replace(findings.contract, policy=IN_MONEY),
        samples=measure_samples(out_of_sample, IN_MONEY, seed=0),
    )


def test_a_rule_decides_whom_the_model_alone_treats_more_mildly(out_of_sample: OutOfSample) -> None:
    """Its cost is that of the policy, less that of the policy without it."""
    refused = out_of_sample.X[:, 2] == 1
    own = make_policy(CardPolicy(cost_review=0.4)).decide(out_of_sample.probability, out_of_sample.X)
    decided = refused & (own < 2)

    renters, also, small, huge = measure(out_of_sample, POLICY)

    assert (renters.n_holds, renters.n_changed) == (refused.sum(), decided.sum())
    assert renters.default_rate is not None
    assert renters.default_rate.value == pytest.approx(out_of_sample.y[decided].mean())
    without = structs.replace(POLICY, rules=RULES[1:])
    costs = [judge(one, out_of_sample.probability, out_of_sample.X).costs(out_of_sample.y) for one in (POLICY, without)]
    assert renters.cost is not None
    assert renters.cost.value == pytest.approx(costs[0].sum() - costs[1].sum())
    # The stricter rule for the same applicants decides them all.
    assert (also.n_holds, also.n_changed, also.cost) == (refused.sum(), 0, None)
    assert 0 < small.n_changed < 20
    assert (small.default_rate, small.cost) == (None, None)
    assert (huge.n_holds, huge.n_changed) == (0, 0)


def test_rules_count_in_fairness(out_of_sample: OutOfSample, card: Card) -> None:
    """A rule that refuses everybody leaves nobody accepted."""
    everybody = Rule("All", "refuse", "All", Compares(Input("amount", 1), "above", 0.0))
    policy = structs.replace(POLICY, rules=(everybody,))

    (field, *_) = measure_fairness(out_of_sample, card.fields, policy, seed=0)

    assert {group.acceptance.value for group in field.groups} == {0.0}
    assert not field.is_impact_known


def test_adverse_impact_is_not_assessed_if_nobody_is_accepted(
    findings: Findings, out_of_sample: OutOfSample, card: Card
) -> None:
    """Rates of 0% are alike, and no reason to pass."""
    everybody = Rule("All", "refuse", "All", Compares(Input("amount", 1), "above", 0.0))
    policy = structs.replace(POLICY, rules=(everybody,))
    fairness = measure_fairness(out_of_sample, card.fields, policy, seed=0)
    checks = [one for one in assess(replace(findings, fairness=fairness)).checks if one.title.startswith("Adverse")]

    assert {check.result for check in checks} == {"review"}
    assert all("Not assessed" in check.text for check in checks)


def test_reviews_without_a_price_are_said_to_be_free(findings: Findings, out_of_sample: OutOfSample) -> None:
    """A rule that gives them then has no known cost, in particular no saving; the check names a rule for everybody."""
    everybody = Rule("All", "review", "All", Compares(Input("amount", 1), "above", 0.0))
    policy = structs.replace(IN_MONEY, cost_review=None, rules=(everybody,))
    free = replace(
        findings,
        contract=structs.replace(findings.contract, policy=policy),
        samples=measure_samples(out_of_sample, policy, seed=0),
    )
    checks = {check.title: check for check in assess(free).checks}

    assert free.main.rules[0].cost is None
    assert checks["Cost of reviews"].result == "review"
    assert "Holds for every applicant: All" in checks["Rules"].text
    assert "saves" not in checks["Rules"].text
    for document in (render_report(free).decode(), render_model_card(free).decode()):
        assert "Reviews are counted as free" in document


def test_rules_and_profit_are_in_every_document(findings_with_rules: Findings) -> None:
    """In words, with the counts that can't tell of single people; texts are escaped."""
    page, card = render_report(findings_with_rules).decode(), render_model_card(findings_with_rules).decode()

    for document in (page, card):
        assert "one threshold for all" in document
        assert "is rent" in document
        assert "under 20" in document
    assert "<td>Small | &lt;b&gt;</td>" in page
    assert "| Small \\| &lt;b&gt; |" in card
    assert 'id="profit"' in page


def test_a_rule_that_decides_nothing_is_to_be_reviewed(findings_with_rules: Findings) -> None:
    """Named, apart from one that never holds."""
    (check,) = (check for check in assess(findings_with_rules).checks if check.title == "Rules")

    assert check.result == "review"
    assert "Holds for no applicant: Huge" in check.text
    assert "as strict already: Also renters" in check.text


def test_the_profit_is_checked(findings_with_rules: Findings) -> None:
    """Beside one threshold for all, and the expected loss beside the realized one."""
    checks = {check.title: check.text for check in assess(findings_with_rules).checks}

    assert "one threshold for all realizes" in checks["Profit of the policy"]
    assert "expected / realized" in checks["Expected loss"]
    assert "of expected loss and gain" in checks["Decision threshold"]
