from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reviews import ReviewGroup, group_reviews
from monitor.terms import make_terms
from tests.monitor.histories import POLICY, make_history

words = st.tuples(st.integers(0, 2), st.integers(-1, 2), st.integers(-1, 1), st.floats(0, 1))


def group(cases: list[tuple[int, int, int, float]]) -> list[ReviewGroup]:
    """The groups of cases: the model's and the final decision, outcome, probability."""
    decision, final, y, p = np.array(cases, float).reshape(-1, 4).T
    history = make_history(p, y.astype(int), decision=decision.astype(np.int8), final=final.astype(np.int8))
    return group_reviews(history, history.defaulted, make_terms(POLICY, history.probability))


def test_an_override_shows_what_it_saved() -> None:
    """Refused by the model and accepted by a person: two repaid, one defaulted, of one nothing is known."""
    (found,) = group([(2, 0, 0, 0.7), (2, 0, 0, 0.7), (2, 0, 1, 0.7), (2, 0, -1, 0.7), (0, -1, 0, 0.1)])
    assert (found.decision, found.final, found.is_override) == ("refuse", "accept", True)
    assert (found.count, found.outcomes, found.defaults) == (4, 3, 1)
    assert found.observed is not None
    assert found.observed.value == pytest.approx(1 / 3)
    assert found.predicted == pytest.approx(0.7)
    assert found.cost_difference == pytest.approx(3 * 0.4 + 5 - 2)
    assert found.expected_difference == pytest.approx(4 * (0.4 + 0.7 * 5 - 0.3))


def test_what_became_of_applicants_whom_a_person_refused_is_unknown() -> None:
    """Only an expectation can be given."""
    (found,) = group([(0, 2, -1, 0.05)])
    assert (found.is_override, found.observed, found.predicted, found.cost_difference) == (True, None, None, None)
    assert found.expected_difference == pytest.approx(0.4 + 0.95 - 0.05 * 5)


def test_a_reviewed_case_costs_what_the_review_did_not_find() -> None:
    """The model's share is the review, which it took to be always right."""
    (found,) = group([(1, 0, 1, 0.2), (1, 0, 0, 0.2)])
    assert (found.is_override, found.cost_difference) == (False, 5.0)
    (pending,) = group([(1, 1, -1, 0.2)])
    assert pending.expected_difference == 0


@given(st.lists(words, max_size=40))
def test_groups_contain_each_reviewed_case_once(cases: list[tuple[int, int, int, float]]) -> None:
    """In any order."""
    found = group(cases)
    assert sum(one.count for one in found) == sum(case[1] >= 0 for case in cases)
    again = group(cases[::-1])
    assert [(one.decision, one.final, one.count, one.defaults) for one in again] == [
        (one.decision, one.final, one.count, one.defaults) for one in found
    ]
