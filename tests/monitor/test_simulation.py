"""The monitor on simulated lenders: it names what changes, soon, and is quiet otherwise. More: `make bench-monitor`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.monitor import BREAK_WEEK, OUTCOME_RATES, RELATION, judge, judge_after, name_shifted
from benchmarks.simulated_records import record_stream
from benchmarks.simulator import (
    LEVELS,
    NUMBERS,
    Change,
    Lender,
    draw_applicants,
    end_of,
    load_champion,
    simulate,
)
from decisions.store import open_store
from monitor.counting import Contracts, count_new
from monitor.history import History, measure_drift, read_history
from monitor.summary import read_monitor

SEEDS = range(1, 21)

FEW_SEEDS = SEEDS[:8]
"""For what holds in every simulation."""

SMALL = Lender(weekly=200)


def test_the_default_rate_is_the_one_asked_for() -> None:
    """Before a change and, multiplied, after it."""
    lender = Lender(default_rate=0.15)
    before = draw_applicants(np.random.default_rng(1), lender, 100_000)
    after = draw_applicants(np.random.default_rng(1), lender, 100_000, [Change(0, default_rate=1.5)])

    assert before.chance.mean() == pytest.approx(0.15, abs=0.003)
    assert after.chance.mean() == pytest.approx(0.225, abs=0.006)


def test_the_model_of_the_simulation_is_right() -> None:
    """On average over those of similar probability, it gives the true chance."""
    drawn = draw_applicants(np.random.default_rng(2), Lender(), 50_000)
    probability = load_champion(Lender()).score(drawn.X).probability

    groups = np.array_split(np.argsort(probability), 10)
    ratios = [drawn.chance[rows].mean() / probability[rows].mean() for rows in groups]

    assert ratios == pytest.approx([1.0] * 10, abs=0.06)


def test_a_change_begins_with_its_week() -> None:
    """Fields shift, values are missing, and levels appear from then on, not before."""
    changes = [
        Change(1, "Debt", shift=1.0),
        Change(1, "Employment", missing=0.5),
        Change(1, "Home", level="hostel", share=0.2),
    ]
    before, after = np.split(simulate(Lender(weekly=5_000), 2, changes, 1).X, 2)
    debt, employment, home = (list(NUMBERS | LEVELS).index(name) for name in ("Debt", "Employment", "Home"))
    mean, deviation, _ = NUMBERS["Debt"]

    assert before[:, debt].mean() == pytest.approx(mean, abs=0.1 * deviation)
    assert after[:, debt].mean() == pytest.approx(mean + deviation, abs=0.1 * deviation)
    assert np.isnan(before[:, employment]).mean() == pytest.approx(0.05, abs=0.02)
    assert np.isnan(after[:, employment]).mean() == pytest.approx(0.5, abs=0.03)
    assert (before[:, home] == 3).sum() == 0
    assert (after[:, home] == 3).mean() == pytest.approx(0.2, abs=0.03)


def test_what_is_recorded_is_what_was_simulated(url: str) -> None:
    """A history read from the records, and the counts of their inputs, equal those made without a database."""
    lender = Lender(weekly=150, months=1, challenger_unused=("Debt",))
    end = end_of(7)
    stream = simulate(lender, 8, [Change(4, "Debt", shift=1.0)], 3).until(end)
    model = load_champion(lender)
    with closing(open_store(url)) as store:
        record_stream(store, lender, stream)
        history = read_history(store)
        tally = measure_drift(store, model.contract, model.sha256, end_of(3), end)

    for name in History.__slots__:
        expected, actual = getattr(stream.history, name), getattr(history, name)
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(actual, expected, err_msg=name)
        else:
            assert actual == expected
    expected_tally = stream.tally(model.contract, end_of(3), end)
    np.testing.assert_array_equal(np.concatenate(tally.fields), np.concatenate(expected_tally.fields))
    np.testing.assert_array_equal(tally.by_decision, expected_tally.by_decision)


def test_the_page_names_the_field_that_has_shifted(url: str) -> None:
    """In the week of GET /v1/monitor."""
    change = Change(1, "Inquiries", shift=0.5)
    with closing(open_store(url)) as store:
        record_stream(store, Lender(), simulate(Lender(), 2, [change], 4).until(end_of(1)))
        contracts = Contracts()
        while count_new(store, contracts, end_of(1), 10_000):
            pass
        monitor = read_monitor(store, load_champion(Lender()), None, end_of(1))

    week = monitor.windows[-1]
    assert week.decisions == 2_000
    assert [shift.field for shift in week.fields if shift.verdict != "stable"] == ["Inquiries"]
    assert "Inquiries" in monitor.headline


@pytest.mark.parametrize("field", NUMBERS)
def test_a_shift_of_half_a_standard_deviation_is_named_in_its_first_week(field: str) -> None:
    """No other field is."""
    named = [name_shifted(Change(1, field, shift=0.5), Lender(), seed) for seed in FEW_SEEDS]

    assert {tuple(name for name in names if name) for names in named} == {(field,)}


def test_a_rise_of_the_default_rate_by_half_is_found_with_the_first_500_outcomes() -> None:
    """Where a quarter of the outcomes were defaults before it."""
    lender, change = replace(SMALL, default_rate=OUTCOME_RATES[0.25]), Change(BREAK_WEEK, default_rate=1.5)
    verdicts = [
        judge_after(simulate(lender, BREAK_WEEK + 20, [change], seed), lender, change, 500).verdict
        for seed in FEW_SEEDS
    ]

    assert {verdict.action for verdict in verdicts} <= {"recalibrate", "retrain"}


def test_a_relation_that_has_changed_asks_for_training() -> None:
    """Two fields say nothing any more: a new level of the probabilities wouldn't help."""
    verdicts = [
        judge_after(simulate(SMALL, BREAK_WEEK + 40, [RELATION], seed), SMALL, RELATION, 2_000).verdict
        for seed in FEW_SEEDS
    ]

    assert [verdict.action for verdict in verdicts] == ["retrain"] * len(FEW_SEEDS)


def test_without_a_change_the_verdict_is_to_keep_the_model() -> None:
    """At most one verdict in twenty says anything else."""
    verdicts = [
        judge(stream, SMALL, end_of(week)).verdict.action
        for seed in SEEDS
        for stream in [simulate(SMALL, 40, (), seed)]
        for week in (18, 28, 39)
    ]

    assert np.mean([action != "keep" for action in verdicts]) <= 0.05
