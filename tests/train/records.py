"""Decisions on record with outcomes, for the tests of what trains and recalibrates on them."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from benchmarks.decisions_store import fill
from decisions.chain import Chain
from decisions.outcomes import Outcome, prepare_outcomes
from decisions.record import Entry
from decisions.store import open_store
from model.maturity import DAY
from tests.decisions.samples import NOW


def fill_record(url: str, content: bytes, count: int, *, start: int = NOW, seed: int = 1) -> None:
    """Record decisions of a model on synthetic applicants, one each millisecond."""
    with closing(open_store(url)) as store:
        fill(store, content, count, start=start, seed=seed)


def add_outcomes(url: str, intercept: float = 0.0, slope: float = 1.0, share: float = 1.0, seed: int = 0) -> None:
    """Draw and record outcomes of a share of the decisions, whose log-odds are on a line through the model's."""
    random = np.random.default_rng(seed)
    with closing(open_store(url)) as store:
        rows = list(store.query("SELECT id, probability FROM records WHERE kind = 'decision' ORDER BY time, id"))
        probability = np.array([row[1] for row in rows])
        log_odds = intercept + slope * np.log(probability / (1 - probability))
        is_known = random.random(len(rows)) < share
        defaulted = random.random(len(rows)) < 1 / (1 + np.exp(-log_odds))
        outcomes = [
            Outcome(date="2026-06-10", defaulted=bool(bad), decision_id=row[0])
            for row, known, bad in zip(rows, is_known, defaulted, strict=True)
            if known
        ]
        append(url, prepare_outcomes(store, outcomes, None).entries)


def fill_early(url: str, content: bytes, count: int) -> None:
    """Record decisions of a lender who knows each default after 20 days, and who has paid after 100.

    Those made 30 days before NOW count, those at NOW don't until a day later, those 50 days later have only defaults.
    """
    random = np.random.default_rng(0)
    for number, start in enumerate((NOW - 30 * DAY, NOW, NOW + 50 * DAY)):
        fill_record(url, content, count, start=start, seed=number)
    with closing(open_store(url)) as store:
        outcomes = []
        for id, time, probability in store.query("SELECT id, time, probability FROM records WHERE kind = 'decision'"):
            is_default = bool(random.random() < probability)
            if is_default or time < NOW + 50 * DAY:
                day = np.datetime64(time, "us").astype("datetime64[D]") + (20 if is_default else 100)
                outcomes.append(Outcome(date=str(day), defaulted=is_default, decision_id=id))
        append(url, prepare_outcomes(store, outcomes, None).entries)


def append(url: str, entries: list[Entry]) -> None:
    """Append entries in a chain of their own."""
    with closing(open_store(url)) as store:
        Chain(store).append(entries)
