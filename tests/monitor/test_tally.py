"""Tally: what a vector says is what the records say, and vectors add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.store import StoreError
from model.bins import Counts, count_values
from model.session import Matrix, Model
from monitor import tally
from monitor.swaps import SwapLayout, mark_reviews, read_reviews
from monitor.tally import Layout, add_counts, group_by, read_counts, sum_counts, write_counts
from serve.metrics.collectors import LATENCY_BUCKETS
from train.export.golden import draw_applicants

vectors = arrays(np.int64, st.integers(0, 40), elements=st.integers(-(2**61), 2**61))


def draw(model: Model, count: int, seed: int) -> tuple[Matrix, Matrix, Counts]:
    """Applicants and what the model answers."""
    applicants = draw_applicants(list(model.contract.fields), count + 1, seed)[1:]
    scores = model.score(applicants)
    return applicants, scores.probability, scores.decision


def test_a_tally_is_what_was_counted(binned: Model) -> None:
    """Each field in its bins, of the applicants that aren't erased; probability and decision of all."""
    applicants, probability, decision = draw(binned, 500, 1)
    layout = Layout(binned.contract)

    found = layout.read(layout.count(applicants[:400], probability, decision))

    assert (found.decisions, found.complete) == (500, 400)
    assert found.by_decision.tolist() == np.bincount(decision, minlength=3).tolist()
    assert found.sum_probability == pytest.approx(probability.sum(), abs=1e-6)
    assert binned.contract.probability_bins is not None
    assert found.probability.tolist() == count_values(probability, binned.contract.probability_bins).tolist()
    for column, bins, counts in zip(applicants[:400].T, binned.contract.bins, found.fields, strict=True):
        assert counts.tolist() == count_values(column, bins).tolist()


@given(first=st.integers(0, 30), second=st.integers(0, 30), seed=st.integers(0, 1_000))
def test_counts_of_parts_add_up(binned: Model, first: int, second: int, seed: int) -> None:
    """To the bit, whatever the parts."""
    applicants, probability, decision = draw(binned, first + second, seed)
    layout = Layout(binned.contract)

    parts = [
        layout.count(applicants[part], probability[part], decision[part]) for part in (slice(first), slice(first, None))
    ]

    assert layout.count(applicants, probability, decision).tolist() == (parts[0] + parts[1]).tolist()


def test_without_bins_only_the_answers_are_counted(model: Model) -> None:
    """As without a contract, whose vectors add to those of one with bins."""
    applicants, probability, decision = draw(model, 50, 1)

    for layout in (Layout(model.contract), Layout(None)):
        found = layout.read(layout.count(applicants, probability, decision))
        assert (found.decisions, found.complete, found.fields) == (50, 0, ())
        assert found.probability.tolist() == []


def test_a_shorter_vector_stands_for_zeros(binned: Model) -> None:
    """So a portion that was counted without the model file adds to the others."""
    applicants, probability, decision = draw(binned, 50, 1)
    whole, head = Layout(binned.contract), Layout(None)

    both = sum_counts([whole.count(applicants, probability, decision), head.count(applicants, probability, decision)])

    found = whole.read(both)
    assert (found.decisions, found.complete, int(found.probability.sum())) == (100, 50, 50)


@given(one=vectors, other=vectors)
def test_stored_vectors_are_read_exactly_and_add_up(one: Counts, other: Counts) -> None:
    """In any order."""
    stored = write_counts(one), write_counts(other)

    assert read_counts(stored[0]).tolist() == one.tolist()
    assert add_counts(*stored) == add_counts(*reversed(stored))
    assert read_counts(add_counts(*stored)).tolist() == sum_counts([one, other]).tolist()


@pytest.mark.parametrize("content", [b"", b"x", write_counts(np.arange(9))[:-3]])
def test_a_damaged_vector_is_a_store_error(content: bytes) -> None:
    """That says how to count again."""
    with pytest.raises(StoreError, match="delete all rows of tallies and tallied"):
        read_counts(content)


def test_swaps_are_what_both_models_say(binned: Model) -> None:
    """Decisions by pairs, and both probabilities in the bins of the champion."""
    _, probability, decision = draw(binned, 200, 1)
    others, swapped = 1 - probability, 2 - decision
    layout = SwapLayout(binned.contract)

    found = layout.read(layout.mark((probability, others), (decision, swapped)).add_up())

    assert binned.contract.probability_bins is not None
    assert found.scored == 200
    assert found.swap_set[0, 2] == np.count_nonzero(decision == 0)
    assert (found.champion_sum, found.challenger_sum) == pytest.approx((probability.sum(), others.sum()), abs=1e-6)
    assert found.champion.tolist() == count_values(probability, binned.contract.probability_bins).tolist()
    assert found.challenger.tolist() == count_values(others, binned.contract.probability_bins).tolist()


def test_reviews_are_counted_by_both_decisions() -> None:
    """Rows are the model's."""
    marks = mark_reviews(np.array([0, 0, 2]), np.array([0, 2, 0]))

    assert read_reviews([marks.add_up(), marks.add_up()]).tolist() == [[2, 0, 2], [0, 0, 0], [2, 0, 0]]
    assert read_reviews([]).tolist() == [[0] * 3] * 3


@given(starts=st.lists(st.integers(-3, 3)))
def test_groups_are_of_equal_values(starts: list[int]) -> None:
    """Each index is in one group."""
    groups = [rows.tolist() for rows in group_by(np.array(starts, np.int64))]

    assert sorted(row for rows in groups for row in rows) == list(range(len(starts)))
    assert [len({starts[row] for row in rows}) for rows in groups] == [1] * len(set(starts))


def test_latencies_are_counted_as_the_metrics_do() -> None:
    """With the same bounds."""
    assert tally.LATENCY_BOUNDS == LATENCY_BUCKETS
