"""The candidates that need no optional library; test_candidates_extra.py checks the others in the same way."""

from __future__ import annotations

import pytest

from train.candidates import CANDIDATES, RACED_LEAVES, Candidate, Hyperparameters, Span
from train.card import CardField
from train.preprocessing import one_hot

MAX_TREES = 1000
N_TREES = {"max_iter", "n_estimators", "iterations"}
"""Names of the setting that is the number of trees."""

LEAF_LIMITS = {"max_leaf_nodes": 8, "num_leaves": 8, "max_leaves": 8, "depth": 3}
"""Name of the argument that limits the leaves of a tree → its value for 8 leaves."""

FIELDS = [
    CardField("Income", "number", risk="decreases", reason="Low income"),
    CardField("Home", "category", levels=("own", "rent"), nullable=True, reason="Home"),
]
BUILT_IN = [pytest.param(one, id=one.name) for one in CANDIDATES.values() if not one.is_optional]


def check_space(candidate: Candidate) -> None:
    """Each default setting lies in its span and has its type, and the ends of the spans reach the estimator."""
    for name, span in candidate.space.items():
        assert span.low <= candidate.settings[name] <= span.high
        assert type(span.low) is type(span.high) is type(candidate.settings[name])
    highest = {name: span.high for name, span in candidate.space.items()}

    arguments = candidate.build(FIELDS, 0, highest)[-1].get_params()

    assert {name: arguments[name] for name in highest} == highest


def check_size(candidate: Candidate) -> None:
    """Trees have 8 leaves, which isn't searched, and at most 1,000 are grown; a linear model has none."""
    arguments = candidate.build(FIELDS, 0)[-1].get_params()
    limits = {name: value for name, value in LEAF_LIMITS.items() if arguments.get(name) is not None}
    n_trees = [span.high for name, span in candidate.space.items() if name in N_TREES]

    assert bool(limits) == bool(n_trees) == (candidate.preprocess is one_hot)
    assert {name: arguments[name] for name in limits} == limits
    assert all(number <= MAX_TREES for number in n_trees)
    assert not {*LEAF_LIMITS, "max_depth"} & candidate.space.keys()


@pytest.mark.parametrize("candidate", BUILT_IN)
def test_the_default_settings_lie_in_the_search_space(candidate: Candidate) -> None:
    """And the searched settings are arguments of the estimator."""
    check_space(candidate)


@pytest.mark.parametrize("candidate", BUILT_IN)
def test_trees_are_limited_to_what_reasons_can_explain(candidate: Candidate) -> None:
    """8 leaves a tree, 1,000 trees."""
    check_size(candidate)


@pytest.mark.parametrize(("leaves", "depth"), [(16, 4), (31, 4), (64, 6)])
def test_larger_trees_are_a_setting_and_part_of_the_search(leaves: int, depth: int) -> None:
    """All settings of a race have so many too; CatBoost's depth follows; models without trees stay as they are."""
    boosting, catboost = (CANDIDATES[name].with_leaves(leaves) for name in ("boosting", "catboost"))

    assert boosting.settings["max_leaf_nodes"] == leaves
    assert boosting.space["max_leaf_nodes"] == Span(8, leaves)
    assert boosting.build(FIELDS, 0).named_steps["classify"].max_leaf_nodes == leaves
    assert catboost.settings["depth"] == depth
    assert CANDIDATES["logistic"].with_leaves(leaves) == CANDIDATES["logistic"]
    assert {one["max_leaf_nodes"] for one in boosting.race} == {leaves}
    assert CANDIDATES["boosting"].with_leaves(None) == CANDIDATES["boosting"]


def test_eight_leaves_are_a_setting_too() -> None:
    """So that no race chooses larger trees, whose reasons are path-dependent."""
    boosting = CANDIDATES["boosting"].with_leaves(8)

    assert {one["max_leaf_nodes"] for one in (boosting.settings, *boosting.race)} == {8}
    assert "max_leaf_nodes" not in boosting.space


@pytest.mark.parametrize("settings", CANDIDATES["boosting"].race)
def test_the_settings_of_a_race_lie_in_the_search_space(settings: Hyperparameters) -> None:
    """Their neighbours too, which differ from them; leaves are searched only with --max-leaves."""
    boosting = CANDIDATES["boosting"]
    complete = boosting.settings | settings
    near = boosting.settings_nearby(complete)

    assert complete not in near
    assert len(near) >= len(boosting.nearby) - 2
    for one in (complete, *near):
        assert one.keys() == boosting.settings.keys()
        assert one["max_leaf_nodes"] <= RACED_LEAVES
        assert all(span.low <= one[name] <= span.high for name, span in boosting.space.items())
