"""Records of decisions, reviews and shadows at any times, for the tests of monitor/."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from msgspec.structs import replace

from decisions.chain import Chain
from decisions.ids import IdSource
from decisions.model_files import describe_file
from decisions.record import Answer, Entry, make_decisions
from decisions.shadows import Shadows, make_shadows
from decisions.store import EMPTY_TALLIES, Store, open_store
from model.policy import DECISIONS
from model.session import Model
from monitor.counting import Contracts, count_new
from train.export.golden import draw_applicants

NOON = 1_780_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + 43_200_000_000
"""Noon of a Thursday, 2026-05-28, microseconds since 1970."""

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000

ids = IdSource()


def open_filled(url: str, content: bytes, model: Model) -> Store:
    """A migrated database that keeps a model file."""
    store = open_store(url)
    store.migrate()
    store.put_model(describe_file(model, content), NOON)
    return store


def decide(model: Model, times: Sequence[int], seed: int = 1) -> list[Entry]:
    """Decisions about synthetic applicants, one at each time."""
    applicants = draw_applicants(list(model.contract.fields), len(times), seed)
    scores = model.score(applicants)
    answer = Answer(
        decision_ids=ids.reserve(len(times)),
        time=0,
        model=model.sha256,
        ids=[f"applicant {number}" for number in range(len(times))],
        inputs=applicants.tolist(),
        probability=scores.probability.tolist(),
        decision=[DECISIONS[index] for index in scores.decision.tolist()],
        points=model.contract.policy.score_points(scores.probability).tolist(),
        reasons=0,
    )
    return [replace(entry, time=time) for entry, time in zip(make_decisions(answer, None, None), times, strict=True)]


def review(decision: Entry, final: str, time: int) -> Entry:
    """A review of a decision."""
    return Entry(ids.reserve(1)[0], "review", time, '{"who":"a","reason":"b"}', subject=decision.id, decision=final)


def shadow(decisions: Sequence[Entry], model: str, probability: Sequence[float], words: Sequence[str]) -> list[Entry]:
    """What a challenger says of the applicants of decisions."""
    return make_shadows(
        Shadows(
            ids=ids.reserve(len(decisions)),
            model=model,
            subjects=[decision.id for decision in decisions],
            times=[decision.time for decision in decisions],
            applicants=[None] * len(decisions),
            inputs=[[]] * len(decisions),
            probability=probability,
            decision=words,
            points=[600] * len(decisions),
        )
    )


def count_all(store: Store, now: int, limit: int = 1_000) -> None:
    """Count until nothing is left."""
    contracts = Contracts()
    while count_new(store, contracts, now, limit):
        pass


def read_rows(store: Store) -> dict[tuple[str, int, int], bytes]:
    """The tallies as they are stored."""
    return {(a, b, c): counts for a, b, c, counts in store.query("SELECT series, width, start, counts FROM tallies")}


def empty_tallies(store: Store) -> None:
    """Let everything be counted again."""
    connection: Any = store._connection  # type: ignore[attr-defined]
    for statement in EMPTY_TALLIES:
        connection.execute(statement)


def append(url: str, *entries: Entry) -> None:
    """Record entries in a chain of their own."""
    with closing(open_store(url)) as store:
        Chain(store).append(entries)
