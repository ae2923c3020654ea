"""The bins in words, and the points of applicants: those of the graph, on every row."""

from __future__ import annotations

import numpy as np
import pytest

from model.session import Model
from tests.train.points_table.scorecards import FIELDS, REQUIRED, SCORECARD, draw_applicants, make_table
from train.card import Card
from train.dataset import Dataset
from train.points_table.bins import ContractScorecard, describe_bins, write_number


def test_points_are_those_of_the_graph(
    table: ContractScorecard, scorecard_model: Model, credit_data: tuple[Card, Dataset]
) -> None:
    """Of every row of the table and of 100,000 generated ones: total, probability and decision."""
    X = np.vstack([credit_data[1].X, draw_applicants(table, 100_000, 0)])
    policy = scorecard_model.contract.policy

    scores = scorecard_model.score(X)
    total = table.total_points(X)

    assert np.array_equal(policy.score_points(scores.probability), total)
    np.testing.assert_allclose(table.probability(total), scores.probability, rtol=1e-12)
    assert [table.decide(int(points)) for points in total[:5_000]] == [
        ("accept", "review", "refuse")[decision] for decision in scores.decision[:5_000]
    ]


@pytest.mark.parametrize("threshold", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])
def test_a_cutoff_is_the_most_points_of_a_threshold(threshold: float) -> None:
    """One point more has a lower probability."""
    table = make_table()
    cutoff = table.find_cutoff(threshold)

    assert table.probability(cutoff) >= threshold > table.probability(cutoff + 1)


def test_bins_are_named_as_people_say_them() -> None:
    """Numbers in full, levels in the order of the groups, missing values with their codes."""
    words = [
        [bin.words for bin in describe_bins(bins, field)]
        for bins, field in zip(SCORECARD.fields[:3], FIELDS, strict=False)
    ]

    assert words == [
        ["under 500", "500 to under 1,200.5", "1,200.5 to under 3,000", "3,000 or more", "missing"],
        [
            "under −3.25",
            "−3.25 to under 0.1",
            "0.1 to under 0.3",
            "0.3 to under 1,000,000,000,000,000",
            "1,000,000,000,000,000 or more",
            "missing or −9 or 99,999,999",
        ],
        ["own", "Own, o'ther, =1+1", 'a*"b, 住 %', "missing"],
    ]


def test_a_field_that_is_never_missing_has_no_bin_of_missing_values() -> None:
    """But one of the numbers that stand for a missing value, which have points."""
    described = [describe_bins(*one) for one in zip(SCORECARD.fields, REQUIRED, strict=False)]

    assert [len(bins) for bins in described] == [4, 6, 3, 2, 5]
    assert described[1][-1].words == "−9 or 99,999,999"


@pytest.mark.parametrize(("number", "text"), [(-0.0, "0"), (1e20, "1e+20"), (0.1 + 0.2, "0.30000000000000004")])
def test_a_number_is_written_in_full(number: float, text: str) -> None:
    """So that the bin of every value is known."""
    assert write_number(number) == text
