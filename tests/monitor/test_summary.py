"""Summary: windows, days and weeks say what was decided, and name a shift when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.record import DecisionPayload, Entry
from decisions.store import Store, TallyKey
from model.bins import Counts, published_counts
from model.policy import DECISIONS
from model.session import Matrix, Model
from model.stability import psi
from monitor.periods import find_quantile
from monitor.reading import find_monday
from monitor.summary import Monitor, Volume, read_monitor
from monitor.tally import DAY as DAY_SECONDS
from monitor.tally import LATENCY_BOUNDS, REQUESTS, SECOND, Layout, add_counts, read_counts, write_counts
from tests.monitor.records import DAY, HOUR, MINUTE, NOON, append, count_all, decide, open_filled, review, shadow

NOW = NOON + 5 * MINUTE
"""Thursday, 2026-05-28, 12:05."""

CHALLENGER = "f" * 64


@pytest.fixture
def store(url: str, binned: Model, binned_content: bytes) -> Iterator[Store]:
    """A database that keeps the model with bins."""
    with closing(open_filled(url, binned_content, binned)) as opened:
        yield opened


def repeat_training(model: Model, training_rows: Matrix, time: int) -> list[Entry]:
    """Decisions about the training applicants themselves."""
    scores = model.score(training_rows)
    entries = decide(model, [time] * len(training_rows))
    return [
        replace(
            entry,
            payload=msgspec.json.encode(DecisionPayload(None, inputs)).decode(),
            probability=probability,
            decision=DECISIONS[decision],
        )
        for entry, inputs, probability, decision in zip(
            entries, training_rows.tolist(), scores.probability.tolist(), scores.decision.tolist(), strict=True
        )
    ]


def summarize(store: Store, model: Model, now: int = NOW, challenger: str | None = None) -> Monitor:
    """The summary once all is counted."""
    count_all(store, now)
    return read_monitor(store, model, challenger, now)


def count_windows(monitor: Monitor) -> list[int]:
    return [window.decisions for window in monitor.windows]


def test_without_decisions_there_is_nothing_to_say(store: Store, binned: Model) -> None:
    """28 days of zeros, no week."""
    monitor = summarize(store, binned)

    assert (monitor.counted, monitor.waiting, count_windows(monitor)) == (0, 0, [0, 0, 0])
    assert (len(monitor.days), monitor.weeks, monitor.challenger) == (28, [], None)
    assert monitor.days[-1].start == "2026-05-28"
    assert monitor.windows[0].mean_probability is None
    assert (monitor.windows[0].probability, monitor.windows[0].fields) == (None, [])
    assert monitor.headline == "No decision was made in the last 7 days."
    assert monitor.fields == 5


def test_windows_slide_by_slots_of_ten_minutes(store: Store, url: str, binned: Model) -> None:
    """An hour begins with the slot of an hour ago, so does a day and a week."""
    edges = [HOUR, DAY, 7 * DAY]
    append(url, *decide(binned, [NOON, *(NOON - edge for edge in edges), *(NOON - edge - 1 for edge in edges)]))
    append(url, *decide(binned, [NOON - days * DAY for days in range(2, 7)]))

    monitor = summarize(store, binned)

    assert count_windows(monitor) == [2, 4, 11]
    assert [window.start for window in monitor.windows] == [
        "2026-05-28T11:00:00.000000Z",
        "2026-05-27T12:00:00.000000Z",
        "2026-05-21T12:00:00.000000Z",
    ]
    assert {window.end for window in monitor.windows} == {"2026-05-28T12:05:00.000000Z"}
    week = monitor.windows[2]
    assert week.accepted + week.reviewed + week.refused == 11


@given(minutes=st.lists(st.integers(0, 8 * 24 * 60), max_size=12), now=st.integers(0, 3 * 24 * 60))
def test_a_window_has_the_decisions_of_its_time(
    binned: Model, binned_content: bytes, minutes: list[int], now: int
) -> None:
    """Made of whole days and slots, at any time of the day."""
    at = NOON + now * MINUTE
    times = [at - ago * MINUTE for ago in minutes]
    with (
        TemporaryDirectory() as folder,
        closing(open_filled(f"sqlite:///{folder}/a.db", binned_content, binned)) as store,
    ):
        if times:
            Chain(store).append(decide(binned, times))
        monitor = summarize(store, binned, at)

    starts = [(at - length) // (10 * MINUTE) * (10 * MINUTE) for length in (HOUR, DAY, 7 * DAY)]
    assert count_windows(monitor) == [sum(time >= start for time in times) for start in starts]


def test_the_training_applicants_have_not_shifted(
    store: Store,
    url: str,
    binned: Model,
    training_rows: Matrix,
) -> None:
    """Their index is nearly 0, and their shares are those expected."""
    append(url, *repeat_training(binned, training_rows, NOON))

    monitor = summarize(store, binned)

    week = monitor.windows[2]
    shifts = [week.probability, *week.fields]
    assert [shift.field for shift in shifts if shift] == ["", *(field.name for field in binned.contract.fields)]
    assert all(shift is not None and shift.psi < 0.01 and shift.verdict == "stable" for shift in shifts)
    amount = week.fields[0]
    assert [one.share for one in amount.bins] == pytest.approx([one.expected for one in amount.bins], abs=0.03)
    assert sum(one.share for one in amount.bins) == pytest.approx(1)
    assert week.expected_probability == 0.5
    assert monitor.headline == "No moderate or significant shift in the last 7 days: 6 distributions of 400 applicants."


def test_a_shift_is_named_in_headline_window_and_week(store: Store, url: str, binned: Model) -> None:
    """With the index of its counts."""
    decisions = decide(binned, [NOON] * 400)
    moved = [replace(one, payload='{"id":null,"inputs":[1,null,0,0,0.5]}') for one in decisions]
    append(url, *moved)

    monitor = summarize(store, binned)

    assert monitor.headline.startswith("Shifted in the last 7 days against training: ")
    assert "(significant)" in monitor.headline
    assert monitor.headline.endswith("more.")
    shift = monitor.windows[2].fields[0]
    bins = binned.contract.bins[0]
    counts = Layout(binned.contract).read(tally_of(store, binned)).fields[0]
    assert shift.psi == float(psi(published_counts(bins, counts), counts))
    assert monitor.weeks[-1].field_psi["Amount"] == shift.psi
    assert monitor.weeks[-1].probability_psi is not None
    assert monitor.days[-1].field_psi == {}
    assert monitor.days[-1].probability_psi == monitor.weeks[-1].probability_psi


def test_a_small_shift_beyond_chance_is_not_denied(
    store: Store, url: str, binned: Model, training_rows: Matrix
) -> None:
    """The headline says only that none is moderate or significant."""
    high = training_rows[training_rows[:, 0] > np.nanmedian(training_rows[:, 0])]
    append(url, *repeat_training(binned, np.concatenate([*[training_rows] * 10, *[high] * 8]), NOON))

    monitor = summarize(store, binned)

    assert any(0.1 > shift.psi > shift.noise for shift in monitor.windows[2].fields)
    assert monitor.headline.startswith("No moderate or significant shift in the last 7 days: ")


def test_records_that_are_left_to_count_come_first(store: Store, url: str, binned: Model) -> None:
    """While more than one in a hundred is missing, also before any is counted, as after an erasure."""
    append(url, *decide(binned, [NOON] * 100))
    none = read_monitor(store, binned, None, NOW)
    count_all(store, NOW)
    append(url, *decide(binned, [NOON]))
    one_of_101 = read_monitor(store, binned, None, NOW)
    append(url, *decide(binned, [NOON]))
    two_of_102 = read_monitor(store, binned, None, NOW)

    assert none.headline == "The figures are incomplete, with 100 of 100 records left to count."
    assert "incomplete" not in one_of_101.headline
    start = "The figures are incomplete, with 2 of 102 records left to count. So far: "
    assert two_of_102.headline == start + one_of_101.headline


def test_volume_is_of_all_models(store: Store, url: str, binned: Model, model: Model) -> None:
    """In each window, as in days and weeks; all else in it is of the model in service, which may have none."""
    others = [replace(one, model=CHALLENGER, decision="refuse") for one in decide(binned, [NOON, NOON - 2 * HOUR] * 2)]
    append(url, *others)
    before = summarize(store, binned)
    append(url, *(replace(one, decision="accept") for one in decide(binned, [NOON - 2 * DAY])))
    after = summarize(store, binned)

    assert count_windows(before) == [0, 0, 0]
    assert before.headline == "The model in service has made no decision in the last 7 days; others have."
    assert count_windows(after) == [0, 0, 1]
    assert [window.volume for window in after.windows] == [Volume(2, 0, 0, 2), Volume(4, 0, 0, 4), Volume(5, 1, 0, 4)]
    assert sum(day.decisions for day in after.days[-7:]) == 5


def tally_of(store: Store, model: Model) -> Counts:
    """The vector of today's decisions."""
    sql = "SELECT counts FROM tallies WHERE series = :series AND width = 86400"
    ((counts,),) = list(store.query(sql, {"series": f"decisions {model.sha256}"}))
    return read_counts(counts)


def test_too_few_decisions_are_said_to_be(store: Store, url: str, binned: Model) -> None:
    """Instead of that there is no shift."""
    append(url, *decide(binned, [NOON] * 5))

    assert summarize(store, binned).headline == "Too few decisions in the last 7 days to tell a shift from chance: 5."


def test_without_bins_nothing_is_compared(url: str, model: Model, content: bytes) -> None:
    """The decisions are counted all the same."""
    with closing(open_filled(url, content, model)) as store:
        append(url, *decide(model, [NOON] * 3))
        monitor = summarize(store, model)

    assert (monitor.fields, monitor.windows[2].decisions, monitor.windows[2].probability) == (0, 3, None)
    assert monitor.headline.startswith("The model file has no distribution of its training applicants")
    assert (monitor.weeks[0].probability_psi, monitor.weeks[0].field_psi) == (None, {})


def test_days_and_weeks_are_of_all_models(store: Store, url: str, binned: Model, model: Model) -> None:
    """Gaps are zeros; weeks begin on the Monday of the first decision."""
    others = [replace(one, model=CHALLENGER) for one in decide(binned, [NOON - 9 * DAY] * 2)]
    append(url, *decide(binned, [NOON, NOON - 9 * DAY]), *others)

    monitor = summarize(store, binned)

    assert [(day.start, day.decisions) for day in monitor.days if day.decisions] == [
        ("2026-05-19", 3),
        ("2026-05-28", 1),
    ]
    assert [(week.start, week.decisions) for week in monitor.weeks] == [("2026-05-18", 3), ("2026-05-25", 1)]
    assert monitor.weeks[0].versions == {binned.contract.version: 1, CHALLENGER[:12]: 2}
    assert monitor.days[-2].mean_probability is None


def test_overrides_change_what_the_model_has_decided(store: Store, url: str, binned: Model) -> None:
    """A case that the model itself referred is none."""
    words = [
        ("accept", "accept"),
        ("accept", "refuse"),
        ("review", "refuse"),
        ("refuse", "accept"),
        ("refuse", "review"),
    ]
    decisions = [replace(one, decision=words[k][0]) for k, one in enumerate(decide(binned, [NOON - DAY] * 5))]
    append(url, *decisions, *(review(one, words[k][1], NOON) for k, one in enumerate(decisions)))

    monitor = summarize(store, binned)

    assert [(day.reviews, day.overrides) for day in monitor.days[-2:]] == [(0, 0), (5, 3)]
    assert (monitor.weeks[-1].reviews, monitor.weeks[-1].overrides) == (5, 3)


def test_latencies_are_those_of_the_requests(store: Store, binned: Model) -> None:
    """Quantiles within a bucket, and answers of 5xx."""
    counts = np.zeros(len(LATENCY_BOUNDS) + 2, np.int64)
    counts[3], counts[-1] = 100, 7
    store.add_tallies({}, {TallyKey(REQUESTS, DAY_SECONDS, NOON // SECOND - 43_200): write_counts(counts)}, add_counts)

    day = summarize(store, binned).days[-1]

    assert [day.latency_p50, day.latency_p95] == pytest.approx([0.00075, 0.000975])
    assert day.errors == 7


@given(latencies=st.lists(st.integers(0, 50), min_size=16, max_size=16), share=st.floats(0.01, 1))
def test_a_quantile_is_in_the_bucket_of_its_rank(latencies: list[int], share: float) -> None:
    """None without requests."""
    found = find_quantile(latencies, share)

    if not sum(latencies):
        assert found is None
        return
    assert found is not None
    ranks = np.repeat([*LATENCY_BOUNDS, LATENCY_BOUNDS[-1]], latencies)
    bound = ranks[int(np.ceil(share * len(ranks))) - 1]
    assert found <= bound or found == pytest.approx(bound)


def test_a_challenger_is_compared_with_the_champion(store: Store, url: str, binned: Model) -> None:
    """On the same applicants, in the last seven days."""
    decisions = [replace(one, decision="accept") for one in decide(binned, [NOON] * 50 + [NOON - 8 * DAY] * 5)]
    append(url, *decisions)
    append(url, *shadow(decisions, CHALLENGER, [0.999] * 55, ["accept"] * 20 + ["refuse"] * 35))

    found = summarize(store, binned, challenger=CHALLENGER).challenger

    assert found is not None
    assert (found.sha256, found.scored, found.since) == (CHALLENGER, 50, "2026-05-21T12:00:00.000000Z")
    assert found.swap_set == [[20, 0, 30], [0, 0, 0], [0, 0, 0]]
    assert found.agreement == 0.4
    assert found.mean_probability == pytest.approx(0.999)
    assert found.champion_mean_probability == pytest.approx(np.mean([one.probability or 0 for one in decisions[:50]]))
    assert found.shift is not None
    assert found.shift.verdict == "significant shift"


def test_a_challenger_that_has_scored_nobody_is_named(store: Store, binned: Model) -> None:
    """By what the database knows of it."""
    found = summarize(store, binned, challenger=binned.sha256).challenger

    assert found is not None
    assert (found.name, found.version, found.scored) == (binned.contract.name, binned.contract.version, 0)
    assert (found.agreement, found.mean_probability, found.shift) == (None, None, None)


def test_weeks_begin_on_monday() -> None:
    """In UTC."""
    monday = 1_779_667_200  # 2026-05-25

    assert [find_monday(monday + offset) for offset in (-1, 0, 7 * 86_400 - 1)] == [monday - 7 * 86_400, monday, monday]
