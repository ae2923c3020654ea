"""The answer for one applicant: its scalar attributes follow from policy and scores, all others from the row."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from msgspec import structs

from model.changes import find_changes
from model.policy import DECISIONS
from model.reasons import find_warnings, name_reasons
from model.results import MONEY, SCALARS, WORDS, Result, make_results, score_columns
from model.rule_words import name_rules
from model.session import Matrix, Model, Scores


def test_the_scalars_of_a_result_are_its_attributes_before_the_reasons() -> None:
    """make_results fills them by position."""
    names = Result.__struct_fields__

    assert names == ("id", *SCALARS, "reasons", "warnings", *MONEY, "rules", "what_would_change", "decision_id")
    assert WORDS["decision"] == DECISIONS


def test_there_is_one_column_for_each_scalar(model: Model, applicants: Matrix) -> None:
    """Words are indices, whole numbers int64, all others float64."""
    scores = model.score(applicants)

    columns = score_columns(scores.probability, scores.decision, model.contract.policy, applicants)

    assert list(columns) == list(SCALARS)
    types = {name: "float64" if kind is float else "int64" for name, kind in SCALARS.items()}
    assert {name: column.dtype.name for name, column in columns.items()} == types


@pytest.mark.parametrize("max_reasons", [0, 2])
def test_results_are_those_of_each_applicant(model: Model, applicants: Matrix, max_reasons: int) -> None:
    """Scalars from the columns; reasons, warnings and changes from the applicant's row."""
    scores = model.score(applicants, explain=max_reasons > 0)
    fields = model.contract.fields

    results = make_results(
        model, applicants, scores, ids=range(len(applicants)), max_reasons=max_reasons, what_would_change=True
    )

    assert [result.id for result in results] == list(range(len(applicants)))
    for row, result in enumerate(results):
        decision = scores.decision.item(row)
        assert result.probability == scores.probability.item(row)
        assert result.decision == DECISIONS[decision]
        assert result.points == model.contract.policy.score_points(result.probability)
        assert result.warnings == find_warnings(applicants[row], fields)
        contributions = scores.contributions[row] if max_reasons else np.zeros(len(fields))
        assert result.reasons == name_reasons(applicants[row], contributions, fields, max_reasons)
        changes = find_changes(model, applicants[row], decision) if result.decision == "refuse" else None
        assert result.what_would_change == changes


def test_a_result_is_plain_json(model: Model, applicants: Matrix) -> None:
    """Without numpy types, `what_would_change` unless asked for, and the amounts and rules of other policies."""
    scores = model.score(applicants[:1])
    results = make_results(model, applicants[:1], scores, ids=["A"], max_reasons=0, what_would_change=False)

    decoded = msgspec.json.decode(msgspec.json.encode(results))

    assert list(decoded[0]) == ["id", *SCALARS, "reasons", "warnings"]


def test_a_probability_of_nan_is_an_error(model: Model, applicants: Matrix) -> None:
    """It must never be answered as null."""
    scores = structs.replace(model.score(applicants), probability=np.full(len(applicants), np.nan))

    with pytest.raises(ValueError, match="a probability of NaN, expected 0 to 1"):
        make_results(model, applicants, scores, ids=[None] * len(applicants), max_reasons=0, what_would_change=False)


@pytest.mark.parametrize("max_reasons", [0, 1, 4])
def test_rules_that_decided_are_named_and_are_the_first_reasons(
    money_model: Model, money_applicants: Matrix, max_reasons: int
) -> None:
    """In the order of the card, counting among the reasons asked for; the names are given in any case."""
    scores = money_model.score(money_applicants, explain=max_reasons > 0)
    fields, policy = money_model.contract.fields, money_model.contract.policy

    results = _answer(money_model, money_applicants, scores, max_reasons)

    for row, result in enumerate(results):
        held = [rule for rule in policy.rules if rule.when.holds(money_applicants[[row]]).item()]
        decided = [rule for rule in held if rule.decision == result.decision]
        contributions = scores.contributions[row] if max_reasons else np.zeros(len(fields))
        others = name_reasons(money_applicants[row], contributions, fields, max_reasons)
        expected = [*name_rules(money_applicants[row], decided, fields), *others][:max_reasons]
        assert (result.rules, result.reasons) == ([rule.name for rule in decided], expected)
    assert {len(result.rules or ()) for result in results} >= {0, 1, 2}


def test_amounts_are_those_of_an_accepted_applicant_and_null_where_unknown(
    money_model: Model, money_applicants: Matrix
) -> None:
    """Whatever the decision is."""
    scores = money_model.score(money_applicants)

    for row, result in enumerate(_answer(money_model, money_applicants, scores, 0)):
        income, p = money_applicants[row, 1], scores.probability.item(row)
        told = (result.expected_loss, result.expected_profit)
        if np.isnan(income):
            assert told == (None, None)
        else:
            assert told == (p * (0.45 * income), (1 - p) * (0.3 * income) - p * (0.45 * income))


def _answer(model: Model, applicants: Matrix, scores: Scores, max_reasons: int) -> list[Result]:
    return make_results(
        model,
        applicants,
        scores,
        ids=range(len(applicants)),
        max_reasons=max_reasons,
        what_would_change=False,
    )
