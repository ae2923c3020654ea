from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from decisions.chain import Chain
from decisions.outcomes import Outcome, prepare_outcomes
from decisions.record import Entry
from decisions.store import Store
from model.policy import DECISIONS
from model.session import Model
from monitor.history import DAY_MICROSECONDS, measure_drift, read_history
from monitor.tally import Layout, group_by_month
from tests.decisions.filled import tamper
from tests.monitor.records import DAY, HOUR, NOON, decide, open_filled, review, shadow

CHALLENGER = "c" * 64


def append(store: Store, entries: Sequence[Entry]) -> None:
    Chain(store).append(entries)


def record_outcome(store: Store, decision: Entry, date: str, defaulted: bool, amount: float | None = None) -> None:
    outcome = Outcome(date=date, defaulted=defaulted, amount_lost=amount, decision_id=decision.id)
    append(store, prepare_outcomes(store, [outcome], None).entries)


def test_history_has_each_decision_with_all_that_followed(url: str, binned_content: bytes, binned: Model) -> None:
    """In the order of their times; probability and decision as on record."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON + 2 * HOUR, NOON, NOON + HOUR])
        append(store, decisions)
        append(store, [review(decisions[1], "refuse", NOON + HOUR), review(decisions[0], "accept", NOON + 3 * HOUR)])
        record_outcome(store, decisions[2], "2026-06-30", True, 12.5)
        append(store, shadow(decisions[:2], CHALLENGER, [0.25, 0.75], ["accept", "refuse"]))
        history = read_history(store)

    in_order = [decisions[1], decisions[2], decisions[0]]
    assert history.time.tolist() == [one.time for one in in_order]
    assert history.probability.tolist() == [one.probability for one in in_order]
    assert [DECISIONS[index] for index in history.decision] == [one.decision for one in in_order]
    assert history.final.tolist() == [2, -1, 0]
    assert history.settled.tolist() == [2, history.decision[1], 0]
    assert history.defaulted.tolist() == [-1, 1, -1]
    assert history.outcome_day.tolist() == [-1, NOON // DAY + 33, -1]
    assert history.amount_lost.tolist() == pytest.approx([np.nan, 12.5, np.nan], nan_ok=True)
    assert history.challenger_probability.tolist() == pytest.approx([0.75, np.nan, 0.25], nan_ok=True)
    assert history.challenger_decision.tolist() == [2, -1, 0]
    assert [history.models[index].sha256 for index in history.model] == [binned.sha256] * 3
    assert history.models[history.model[0]].version == binned.contract.version
    assert history.challenger is not None
    assert history.challenger.sha256 == CHALLENGER


def test_latest_review_and_outcome_count(url: str, binned_content: bytes, binned: Model) -> None:
    """By their times, however they were appended; a default that was corrected is none."""
    with closing(open_filled(url, binned_content, binned)) as store:
        (decision,) = decide(binned, [NOON])
        append(store, [decision])
        append(store, [review(decision, "refuse", NOON + 2 * HOUR), review(decision, "accept", NOON + HOUR)])
        record_outcome(store, decision, "2026-06-01", True, 3.0)
        record_outcome(store, decision, "2026-06-02", False)
        history = read_history(store)
    assert (history.final.tolist(), history.defaulted.tolist()) == ([2], [0])
    assert history.outcome_day.tolist() == [NOON // DAY + 5]
    assert np.isnan(history.amount_lost[0])


def test_latest_challenger_counts(url: str, binned_content: bytes, binned: Model) -> None:
    """Answers of an earlier one are left out."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON, NOON + HOUR])
        append(store, decisions)
        append(store, shadow(decisions[1:], CHALLENGER, [0.25], ["accept"]))
        append(store, shadow(decisions[:1], "d" * 64, [0.5], ["review"]))
        history = read_history(store)
    assert history.challenger is not None
    assert history.challenger.sha256 == CHALLENGER
    assert history.challenger_decision.tolist() == [-1, 0]


def test_period_chooses_decisions(url: str, binned_content: bytes, binned: Model) -> None:
    """What followed counts whenever it was; what belongs to a decision outside is left out."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON, NOON + DAY, NOON + 2 * DAY])
        append(store, decisions)
        append(store, [review(one, "refuse", NOON + 3 * DAY) for one in decisions[:2]])
        history = read_history(store, NOON + DAY, NOON + 2 * DAY)
        nothing = read_history(store, NOON + 9 * DAY)
    assert (history.time.tolist(), history.final.tolist()) == ([NOON + DAY], [2])
    assert (len(nothing), nothing.models, nothing.challenger) == (0, (), None)


def test_erased_decisions_keep_what_is_not_personal(url: str, binned_content: bytes, binned: Model) -> None:
    """Probability and decision; an erased outcome is unknown."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON, NOON + HOUR])
        append(store, decisions)
        record_outcome(store, decisions[0], "2026-06-01", True)
        tamper(url, "UPDATE records SET payload = NULL, salt = NULL, applicant = NULL")
        history = read_history(store)
        drift = measure_drift(store, binned.contract, binned.sha256, None, None)
    assert history.probability.tolist() == [one.probability for one in decisions]
    assert history.defaulted.tolist() == [-1, -1]
    assert (drift.decisions, drift.complete) == (2, 0)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("probability = 2.0 WHERE kind = 'decision'", 0),
        ("probability = NULL", 0),
        ("decision = 'perhaps'", 0),
        ("payload = '{'", 2),
        ('payload = \'{"id":1,"inputs":[1,2]}\'', 2),
        ('payload = \'{"date":"2026-99-01","defaulted": true}\' WHERE kind = \'outcome\'', 2),
        ("subject = 'é'", 2),
        ("subject = NULL", 2),
        ("model = NULL", 2),
        ("time = 9223372036854775807 WHERE kind = 'decision'", 0),
    ],
)
def test_forged_records_are_left_out(url: str, binned_content: bytes, binned: Model, change: str, left: int) -> None:
    """They keep nothing else from being read."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON, NOON + HOUR])
        append(store, decisions)
        append(store, [review(decisions[0], "refuse", NOON + HOUR)])
        record_outcome(store, decisions[1], "2026-06-01", True)
        tamper(url, f"UPDATE records SET {change}")  # noqa: S608
        history = read_history(store)
        drift = measure_drift(store, binned.contract, binned.sha256, None, None)
    assert len(history) == left
    assert drift.decisions == (0 if "model" in change else left)


@pytest.mark.parametrize(
    "change", ["probability = 'abc'", "id = x'00'", "model = x'00'", "time = 1e300", "payload = x'00'"]
)
def test_values_of_other_types_are_left_out(tmp_path: Path, binned_content: bytes, binned: Model, change: str) -> None:
    """SQLite takes any value in any column."""
    url = f"sqlite:///{tmp_path / 'forged.db'}"
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON, NOON + HOUR])
        append(store, decisions)
        tamper(url, f"UPDATE records SET {change} WHERE id = '{decisions[0].id}'")  # noqa: S608
        history = read_history(store)
        drift = measure_drift(store, binned.contract, binned.sha256, None, None)
    is_kept = change.startswith("payload")
    assert history.time.tolist() == ([NOON] if is_kept else []) + [NOON + HOUR]
    assert drift.decisions in (1, 2)


def test_drift_counts_inputs_in_the_bins(url: str, binned_content: bytes, binned: Model) -> None:
    """Of the decisions of one model and period, as the tallies of the service do."""
    times = [NOON + index * HOUR for index in range(60)]
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, times)
        append(store, decisions)
        found = measure_drift(store, binned.contract, binned.sha256, times[10], times[40])
        other = measure_drift(store, binned.contract, CHALLENGER, None, None)
    assert (found.decisions, found.complete, other.decisions) == (30, 30, 0)
    assert found.probability.sum() == 30
    assert [counts.sum() for counts in found.fields] == [30] * len(binned.contract.fields)
    assert found.mean_probability == pytest.approx(np.mean([one.probability for one in decisions[10:40]]))
    assert len(other.fields) == len(Layout(binned.contract).read(np.zeros(0, np.int64)).fields)


def test_months_are_those_of_utc() -> None:
    """In their order, each row once."""
    days = np.array(["2026-03-01", "2025-12-31", "2026-03-31", "2026-01-01"], "datetime64[D]").astype(np.int64)
    found = list(group_by_month(days * DAY_MICROSECONDS))
    assert [(month, rows.tolist()) for month, rows in found] == [
        ("2025-12", [1]),
        ("2026-01", [3]),
        ("2026-03", [0, 2]),
    ]
    assert list(group_by_month(days[:0])) == []


def test_decisions_are_found_by_id(url: str, binned_content: bytes, binned: Model) -> None:
    """In whatever order ids and times are."""
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON - index for index in range(30)])
        append(store, decisions)
        append(store, [review(one, DECISIONS[index % 3], NOON + HOUR) for index, one in enumerate(decisions[::-1])])
        assert read_history(store).final.tolist() == [index % 3 for index in range(30)]
