"""The candidates of optional libraries."""

from __future__ import annotations

import pytest

from tests.train.test_candidates import check_size, check_space
from train.candidates import CANDIDATES, Candidate

OPTIONAL = [pytest.param(one, id=one.name) for one in CANDIDATES.values() if one.is_optional]


@pytest.mark.parametrize("candidate", OPTIONAL)
def test_the_default_settings_lie_in_the_search_space(candidate: Candidate) -> None:
    """And the searched settings are arguments of the estimator."""
    check_space(candidate)


@pytest.mark.parametrize("candidate", OPTIONAL)
def test_trees_are_limited_to_what_reasons_can_explain(candidate: Candidate) -> None:
    """8 leaves a tree, 1,000 trees."""
    check_size(candidate)
