"""Recorded applicants, scored by a challenger that didn't stand in the shadow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulated_records import record_stream
from benchmarks.simulator import Lender, Stream, load_challenger, make_content, simulate
from decisions.reading import find_records_of
from decisions.retention import erase
from decisions.store import Store, open_store
from decisions.terminal import CommandError
from model.loading import load_model
from model.session import Model
from monitor.challenger_scores import score_recorded
from monitor.history import read_history
from monitor.summary import ModelName

LENDER = Lender(weekly=100, challenger_unused=("Debt",))

ALONE = replace(LENDER, challenger_unused=None)


@pytest.fixture
def stream() -> Stream:
    """A month of a lender whose challenger answered as it would have in the shadow."""
    return simulate(LENDER, 4, [], seed=1)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The same month on record, without shadows."""
    with closing(open_store(url)) as opened:
        record_stream(opened, ALONE, simulate(ALONE, 4, [], seed=1))
        yield opened


@pytest.fixture
def challenger() -> Model:
    """The challenger of the lender."""
    return load_challenger(LENDER)


def test_the_answers_are_those_of_the_shadow(store: Store, stream: Stream, challenger: Model) -> None:
    """To the bit, in the order of the decisions."""
    scored = score_recorded(store, read_history(store), challenger, None, None)

    assert scored.challenger == stream.history.challenger
    np.testing.assert_array_equal(scored.challenger_probability, stream.history.challenger_probability)
    np.testing.assert_array_equal(scored.challenger_decision, stream.history.challenger_decision)


def test_a_period_is_scored_alone(store: Store, stream: Stream, challenger: Model) -> None:
    """The one of the history."""
    start, end = (int(stream.history.time[place]) for place in (100, 150))
    scored = score_recorded(store, read_history(store, start, end), challenger, start, end)

    np.testing.assert_array_equal(scored.challenger_probability, stream.history.challenger_probability[100:150])


def test_answers_in_the_shadow_stay(store: Store, stream: Stream, challenger: Model) -> None:
    """Those of the same file; another challenger's are replaced."""
    history = read_history(store)
    history.challenger_probability[:10], history.challenger_decision[:10] = 0.5, 2
    same = replace(history, challenger=stream.history.challenger)
    other = replace(history, challenger=ModelName("other", "1", "f" * 64))

    kept = score_recorded(store, same, challenger, None, None)
    replaced = score_recorded(store, other, challenger, None, None)

    assert kept.challenger_probability[:10].tolist() == [0.5] * 10
    np.testing.assert_array_equal(kept.challenger_probability[10:], stream.history.challenger_probability[10:])
    np.testing.assert_array_equal(replaced.challenger_probability, stream.history.challenger_probability)


def test_erased_applicants_have_no_answer(store: Store, challenger: Model) -> None:
    """Nobody can score them."""
    erase(store, find_records_of(store, "applicant 7"))

    scored = score_recorded(store, read_history(store), challenger, None, None)

    assert np.flatnonzero(np.isnan(scored.challenger_probability)).tolist() == [7]
    assert scored.challenger_decision[7] == -1


def test_a_decision_that_comes_meanwhile_is_noticed(store: Store, challenger: Model) -> None:
    """Answers must not move to another applicant."""
    earlier = read_history(store)
    record_stream(store, ALONE, simulate(ALONE, 1, [], seed=2))

    with pytest.raises(CommandError, match="run the command again"):
        score_recorded(store, earlier, challenger, None, None)


def test_a_challenger_of_other_fields_is_refused(store: Store, content: bytes) -> None:
    """With what it lacks."""
    with pytest.raises(CommandError, match="can't score the applicants on record: its field"):
        score_recorded(store, read_history(store), load_model(content), None, None)


def test_fields_are_found_by_name(store: Store) -> None:
    """The champion's own file, as a challenger, answers as the champion did."""
    history = read_history(store)

    scored = score_recorded(store, history, load_model(make_content(LENDER.default_rate)), None, None)

    np.testing.assert_array_equal(scored.challenger_probability, history.probability)
