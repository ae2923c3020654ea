"""Counting: the tallies are what counting all records anew gives, whatever happened meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.record import Entry
from decisions.retention import erase, find_old, prune
from decisions.store import Store, StoreError, TallyKey, Value, open_store
from model.bins import Counts
from model.policy import DECISIONS
from model.session import Model
from monitor.counting import Contracts, count_new, find_oldest_slot
from monitor.reading import count_records
from monitor.swaps import SwapLayout, read_reviews
from monitor.tally import DAY, SECOND, SLOT, Layout, add_counts, read_counts
from tests.decisions.filled import tamper
from tests.decisions.samples import read_records
from tests.monitor.records import DAY as DAY_MICROSECONDS
from tests.monitor.records import (
    HOUR,
    MINUTE,
    NOON,
    append,
    count_all,
    decide,
    empty_tallies,
    open_filled,
    read_rows,
    review,
    shadow,
)

NOW = NOON + HOUR


@pytest.fixture
def store(url: str, binned: Model, binned_content: bytes) -> Iterator[Store]:
    """A database that keeps the model with bins."""
    with closing(open_filled(url, binned_content, binned)) as opened:
        yield opened


class Between:
    """A store in which something happens between reading records and adding their counts."""

    def __init__(self, store: Store, happen: Callable[[], object], *, is_after: bool = False) -> None:
        self._store, self._happen, self._is_after = store, happen, is_after

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, ...]]:
        return self._store.query(sql, parameters)

    def add_tallies(self, *arguments: Any) -> bool:
        if not self._is_after:
            self._happen()
        is_added = self._store.add_tallies(*arguments)
        if self._is_after:
            self._happen()
        return is_added


def count_between(store: Store, happen: Callable[[], object], *, is_after: bool = False) -> bool:
    """A pass, during which something happens."""
    between: Any = Between(store, happen, is_after=is_after)
    return count_new(between, Contracts(), NOW)


def test_each_decision_counts_in_its_slot_and_its_day(store: Store, url: str, binned: Model) -> None:
    """With what Layout counts of the same applicants; a portion at a time."""
    times = [NOON, NOON + 9 * MINUTE, NOON + 10 * MINUTE, NOON - DAY_MICROSECONDS]
    decisions = decide(binned, times)
    append(url, *decisions)
    count_all(store, NOW, limit=3)

    noon, day, series = NOON // SECOND, NOON // SECOND // DAY * DAY, f"decisions {binned.sha256}"
    layout = Layout(binned.contract)
    found = {key: layout.read(read_counts(counts)).decisions for key, counts in read_rows(store).items()}
    assert found == {
        (series, SLOT, noon): 2,
        (series, SLOT, noon + SLOT): 1,
        (series, SLOT, noon - DAY): 1,
        (series, DAY, day): 3,
        (series, DAY, day - DAY): 1,
    }
    assert read_counts(read_rows(store)[series, DAY, day]).tolist() == count_directly(binned, decisions[:3]).tolist()


def count_directly(model: Model, decisions: list[Entry]) -> Counts:
    """The vector of decisions, from the model's answers about their inputs."""
    rows = [json.loads(decision.payload)["inputs"] for decision in decisions]
    applicants = np.array(rows, np.float64)
    scores = model.score(applicants)
    return Layout(model.contract).count(applicants, scores.probability, scores.decision)


def test_nothing_new_is_nothing_to_count(store: Store, url: str, binned: Model) -> None:
    """And no row is written."""
    assert not count_new(store, Contracts(), NOW)

    append(url, *decide(binned, [NOON]))
    assert count_new(store, Contracts(), NOW)
    rows = read_rows(store)
    assert not count_new(store, Contracts(), NOW)
    assert read_rows(store) == rows


def test_what_waits_is_known_exactly(store: Store, url: str, binned: Model) -> None:
    """Of several chains, some of whose records were deleted."""
    append(url, *decide(binned, [NOON - 3 * DAY_MICROSECONDS] * 2 + [NOON] * 3))
    append(url, *decide(binned, [NOON - 3 * DAY_MICROSECONDS] * 4))
    assert count_records(store) == (0, 9)
    assert count_new(store, Contracts(), NOW, 7)
    assert count_records(store) == (7, 2)

    prune(store, find_old(store, NOON - DAY_MICROSECONDS))

    # Three decisions and two records of deletions.
    assert count_records(store) == (0, 5)
    count_all(store, NOW)
    assert count_records(store) == (5, 0)


def test_reviews_and_shadows_count_with_their_decisions(store: Store, url: str, binned: Model) -> None:
    """In the time of the review, by pairs of decisions; one whose decision is gone is passed over."""
    decisions = [replace(one, decision=word) for one, word in zip(decide(binned, [NOON] * 3), DECISIONS, strict=True)]
    append(url, *decisions)
    day = NOON // SECOND // DAY * DAY
    append(url, *(review(one, "accept", NOON + DAY_MICROSECONDS) for one in decisions))
    append(url, review(replace(decisions[0], id="gone"), "accept", NOON))
    append(url, *shadow(decisions, "f" * 64, [0.25] * 3, ["refuse"] * 3))
    count_all(store, NOW)

    rows = read_rows(store)
    reviews = read_reviews([read_counts(rows[f"reviews {binned.sha256}", DAY, day + DAY])])
    assert reviews.tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert (f"reviews {binned.sha256}", DAY, day) not in rows
    swaps = SwapLayout(binned.contract).read(read_counts(rows[f"shadow {binned.sha256} {'f' * 64}", DAY, day]))
    assert swaps.swap_set.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 1]]
    assert swaps.challenger_sum == 0.75
    assert swaps.champion_sum == pytest.approx(sum(one.probability or 0 for one in decisions), abs=1e-8)


def test_erased_inputs_are_not_counted_any_more(store: Store, url: str, binned: Model) -> None:
    """After the next pass; the answer still is."""
    append(url, *decide(binned, [NOON] * 5))
    count_all(store, NOW)

    erase(store, read_records(store)[:2])

    assert read_rows(store) == {}
    count_all(store, NOW)
    key = f"decisions {binned.sha256}", DAY, NOON // SECOND // DAY * DAY
    tally = Layout(binned.contract).read(read_counts(read_rows(store)[key]))
    assert (tally.decisions, tally.complete, int(tally.probability.sum())) == (5, 3, 5)
    assert [int(counts.sum()) for counts in tally.fields] == [3] * 5


@pytest.mark.parametrize("passes", [0, 1])
def test_an_erasure_during_a_pass_discards_it(store: Store, url: str, binned: Model, passes: int) -> None:
    """In the first pass over a chain too."""
    append(url, *decide(binned, [NOON] * 5))
    for _ in range(passes):
        count_new(store, Contracts(), NOW, 2)
    with closing(open_store(url)) as other:
        count_between(store, lambda: erase(other, read_records(other)[:2]))

    assert read_rows(store) == {}
    assert_as_counted_anew(store)


def test_two_counters_at_once_count_once(store: Store, url: str, binned: Model) -> None:
    """The slower one's pass is discarded."""
    append(url, *decide(binned, [NOON] * 5))
    with closing(open_store(url)) as other:
        assert count_between(store, lambda: count_new(other, Contracts(), NOW, 2))

    assert count_records(store) == (2, 3)
    assert_as_counted_anew(store)


@pytest.mark.parametrize("model_file", ["absent", "unreadable"])
def test_a_model_file_that_cant_be_read_leaves_the_answers(
    store: Store, url: str, binned: Model, model_file: str
) -> None:
    """And all other models as they are."""
    append(url, *decide(binned, [NOON] * 3), *(replace(one, model="0" * 64) for one in decide(binned, [NOON] * 2)))
    if model_file == "unreadable":
        tamper(
            url,
            "INSERT INTO models VALUES (:sha, 'a', '1', '[]', :content, 0)",
            sha="0" * 64,
            content=b"no model file",
        )
    count_all(store, NOW)

    day = NOON // SECOND // DAY * DAY
    layout, rows = Layout(binned.contract), read_rows(store)
    tallies = [layout.read(read_counts(rows[f"decisions {sha}", DAY, day])) for sha in (binned.sha256, "0" * 64)]
    assert [(tally.decisions, tally.complete) for tally in tallies] == [(3, 3), (2, 0)]


@pytest.mark.parametrize(
    "payload", ["", "null", '{"id":null,"inputs":[1]}', '{"id":1,"inputs":[]},{"id":1,"inputs":[]}']
)
def test_a_forged_payload_leaves_the_others(store: Store, url: str, binned: Model, payload: str) -> None:
    """They are counted with their inputs."""
    decisions = decide(binned, [NOON] * 4)
    append(url, *decisions)
    tamper(url, "UPDATE records SET payload = :payload WHERE id = :id", payload=payload, id=decisions[1].id)
    count_all(store, NOW)

    rows = read_rows(store)
    tally = Layout(binned.contract).read(read_counts(rows[f"decisions {binned.sha256}", SLOT, NOON // SECOND]))
    assert (tally.decisions, tally.complete) == (4, 3)


@pytest.mark.parametrize(
    "change",
    [
        "probability = 2",
        "probability = NULL",
        "decision = 'perhaps'",
        "model = NULL",
        f"model = '{60_000 * 'a'}'",
        "time = 9223372036854775807",
    ],
)
def test_a_forged_answer_is_passed_over(store: Store, url: str, binned: Model, change: str) -> None:
    """So are reviews of it."""
    decisions = decide(binned, [NOON] * 4)
    append(url, *decisions, review(decisions[1], "accept", NOON), review(decisions[2], "accept", NOON))
    tamper(url, f"UPDATE records SET {change} WHERE id = :id", id=decisions[1].id)  # noqa: S608
    count_all(store, NOW)

    rows, slot = read_rows(store), NOON // SECOND
    assert Layout(binned.contract).read(read_counts(rows[f"decisions {binned.sha256}", SLOT, slot])).decisions == 3
    assert read_reviews([read_counts(rows[f"reviews {binned.sha256}", SLOT, slot])]).sum() == 1
    assert count_records(store) == (6, 0)


@pytest.mark.parametrize(
    "change",
    ["probability = 'abc'", "probability = x'00'", "model = x'00'", "time = 'abc'", "time = 1e300", "kind = x'00'"],
)
def test_a_value_of_another_type_is_passed_over(
    tmp_path: Path, binned_content: bytes, binned: Model, change: str
) -> None:
    """SQLite takes any value in any column."""
    url = f"sqlite:///{tmp_path / 'forged.db'}"
    with closing(open_filled(url, binned_content, binned)) as store:
        decisions = decide(binned, [NOON] * 4)
        append(url, *decisions, review(decisions[1], "accept", NOON))
        tamper(url, f"UPDATE records SET {change} WHERE id = :id", id=decisions[1].id)  # noqa: S608
        count_all(store, NOW)

        rows, slot = read_rows(store), NOON // SECOND
        assert Layout(binned.contract).read(read_counts(rows[f"decisions {binned.sha256}", SLOT, slot])).decisions == 3
        assert count_records(store) == (5, 0)


def test_old_slots_are_dropped_and_days_are_kept(store: Store, url: str, binned: Model) -> None:
    """Of all series, those of the requests too."""
    append(url, *decide(binned, [NOON]))
    count_all(store, NOW)
    key = TallyKey("requests", SLOT, NOON // SECOND)
    store.add_tallies({}, {key: b""}, add_counts)

    later = NOON + 8 * DAY_MICROSECONDS + 10 * MINUTE
    append(url, *decide(binned, [NOON, later]))
    count_all(store, later)

    assert sorted((width, start) for _, width, start in read_rows(store)) == [
        (SLOT, later // SECOND),
        (DAY, NOON // SECOND // DAY * DAY),
        (DAY, later // SECOND // DAY * DAY),
    ]


class Lost(Exception):
    """A counter that was killed."""


def die() -> None:
    raise Lost


def erase_one(store: Store, number: int) -> None:
    kept = [record for record in read_records(store) if record.payload is not None and record.kind == "decision"]
    if kept:
        erase(store, [kept[number % len(kept)]])


def add_decisions(chain: Chain, model: Model, hours: int, number: int) -> None:
    chain.append(decide(model, [NOON - hours * HOUR - step * 7 * MINUTE for step in range(number)], seed=hours))


def add_about(store: Store, chain: Chain, number: int) -> None:
    """A review and a shadow of a decision."""
    found = [record for record in read_records(store) if record.kind == "decision"]
    if found:
        subject: Any = found[number % len(found)]
        word = DECISIONS[number % 3]
        chain.append([review(subject, word, NOON), *shadow([subject], "f" * 64, [number / 100], [word])])


def assert_as_counted_anew(store: Store) -> None:
    """Fail unless the tallies, once all is counted, are what counting all records anew gives."""
    count_all(store, NOW, limit=4)
    rows = read_rows(store)
    empty_tallies(store)
    count_all(store, NOW)
    assert rows == read_rows(store)
    assert all(width == DAY or start >= find_oldest_slot(NOW) for _, width, start in rows)


hours, numbers = st.integers(0, 24 * 10), st.integers(0, 99)
steps = st.one_of(
    st.tuples(st.just("decide"), st.integers(0, 2), hours, st.integers(1, 5)),
    st.tuples(st.just("about"), st.integers(0, 2), numbers),
    st.tuples(st.sampled_from(["erase", "erase during", "prune", "prune during"]), hours),
    st.tuples(st.sampled_from(["count", "race"]), st.integers(1, 6)),
    st.tuples(st.sampled_from(["die before", "die after", "migrate", "empty"])),
)


@given(happened=st.lists(steps, max_size=14))
def test_tallies_are_what_counting_anew_gives(
    binned: Model, binned_content: bytes, happened: list[tuple[Any, ...]]
) -> None:
    """After appends to several chains, erasures and deletions, with counters that race and die."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/decisions.db"
        with closing(open_filled(url, binned_content, binned)) as store, closing(open_store(url)) as other:
            chains = [Chain(store) for _ in range(3)]
            for name, *values in happened:
                happen(store, other, chains, binned, name, *values)
            check_waiting(store)
            assert_as_counted_anew(store)


def happen(store: Store, other: Store, chains: list[Chain], model: Model, name: str, *values: int) -> None:
    """One step of a history."""
    number = values[0] if values else 0
    before = NOON - number * HOUR
    during: dict[str, Callable[[], object]] = {
        "erase during": lambda: erase_one(other, number),
        "prune during": lambda: prune(other, find_old(other, before)),
        "race": lambda: count_new(other, Contracts(), NOW, number),
        "die before": die,
    }
    try:
        if name in during:
            count_between(store, during[name])
        elif name == "die after":
            count_between(store, die, is_after=True)
        elif name == "decide":
            add_decisions(chains[number], model, values[1], values[2])
        elif name == "about":
            add_about(store, chains[number], values[1])
        elif name == "erase":
            erase_one(store, number)
        elif name == "prune":
            prune(store, find_old(store, before))
        elif name == "count":
            count_new(store, Contracts(), NOW, number)
        elif name == "migrate":
            other.migrate()
        else:
            empty_tallies(store)
    except Lost:
        pass


def check_waiting(store: Store) -> None:
    """Fail unless the number of records that aren't counted is exact."""
    sql = """
        SELECT count(*) FROM records LEFT JOIN tallied ON tallied.chain = records.chain
        WHERE records.sequence > coalesce(tallied.sequence, 0)
    """
    ((waiting,),) = list(store.query(sql))
    ((all_records,),) = list(store.query("SELECT count(*) FROM records"))
    assert count_records(store) == (all_records - waiting, waiting)


def test_a_damaged_tally_says_what_to_do(store: Store, url: str, binned: Model) -> None:
    """And no record is taken for counted."""
    append(url, *decide(binned, [NOON]))
    count_all(store, NOW)
    tamper(url, "UPDATE tallies SET counts = :counts", counts=b"damaged")
    append(url, *decide(binned, [NOON]))

    with pytest.raises(StoreError, match="delete all rows of tallies and tallied"):
        count_new(store, Contracts(), NOW)

    assert count_records(store) == (1, 1)
