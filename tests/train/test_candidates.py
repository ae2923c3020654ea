"""The table of candidates."""

from __future__ import annotations

import pytest

from train.candidates import CANDIDATES, Candidate
from train.card import CardField

MOST_TREES = 600
COUNTS = ("max_iter", "n_estimators", "iterations")
FIELDS = [
    CardField("Income", "number", risk="decreases", reason="Low income"),
    CardField("Home", "category", levels=("own", "rent"), nullable=True, reason="Home"),
]


@pytest.mark.parametrize("candidate", CANDIDATES.values(), ids=CANDIDATES)
def test_the_default_settings_lie_in_the_space_and_reach_the_estimator(candidate: Candidate) -> None:
    """A search begins with them, and what is searched is what the estimator gets."""
    for name, span in candidate.space.items():
        assert span.low <= candidate.settings[name] <= span.high
        assert type(span.low) is type(span.high) is type(candidate.settings[name])

    edges = {name: span.high for name, span in candidate.space.items()}
    made = candidate.build(FIELDS, 0, edges)[-1].get_params()

    assert edges == {name: made[name] for name in edges}


@pytest.mark.parametrize("candidate", CANDIDATES.values(), ids=CANDIDATES)
def test_no_search_grows_more_trees_than_the_artifact_can_explain(candidate: Candidate) -> None:
    """The tables of reasons grow with the trees."""
    counts = [span.high for name, span in candidate.space.items() if name in COUNTS]

    assert all(count <= MOST_TREES for count in counts)
    assert bool(counts) == (candidate.name != "logistic")


def test_a_trees_leaves_are_never_searched() -> None:
    """At most 8: more can't be explained exactly."""
    made = {name: one.build(FIELDS, 0)[-1].get_params() for name, one in CANDIDATES.items()}

    assert [8, 8, 8, 3] == [
        made["boosting"]["max_leaf_nodes"],
        made["lightgbm"]["num_leaves"],
        made["xgboost"]["max_leaves"],
        made["catboost"]["depth"],
    ]
    for candidate in CANDIDATES.values():
        assert not {"max_leaf_nodes", "num_leaves", "max_leaves", "depth", "max_depth"} & candidate.space.keys()
