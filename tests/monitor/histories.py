"""Histories of decisions whose truth is known, for the tests of the statistics."""

from __future__ import annotations

import numpy as np

from model.contract import CONTRACT_VERSION, Contract, Golden, Training
from model.policy import Points, Policy
from monitor.history import DAY_MICROSECONDS, Floats, History, Integers
from monitor.summary import ModelName

MODEL, CHALLENGER = ModelName("credit", "1", "a" * 64), ModelName("credit", "2", "b" * 64)

POLICY = Policy(cost_default=5.0, cost_good=1.0, cost_review=0.4, review_from=0.08, refuse_from=0.6, points=Points())

CONTRACT = Contract(
    contract_version=CONTRACT_VERSION,
    name=MODEL.name,
    version=MODEL.version,
    trained_at="2025-12-31T00:00:00Z",
    fields=(),
    policy=POLICY,
    base_value=0.0,
    training=Training("logistic", 0, 0, None, 0, "data", "card", "commit", {}),
    metrics={},
    golden=Golden((), (), ()),
)
"""Without bins."""

START = 1_767_225_600_000_000
"""2026-01-01, microseconds since 1970."""

OUTCOME_DAYS = 90


def draw_probabilities(random: np.random.Generator, n: int, rate: float, spread: float = 1.0) -> Floats:
    """Probabilities with this mean."""
    x = random.normal(0, spread, n)
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if (1 / (1 + np.exp(-x - middle))).mean() > rate else (middle, high)
    return 1 / (1 + np.exp(-x - low))


def draw_outcomes(random: np.random.Generator, chance: Floats) -> Integers:
    """1 with these chances."""
    return (random.random(len(chance)) < chance).astype(np.int64)


def make_history(probability: Floats, y: Integers, *, every: float = 0.01, **columns: object) -> History:
    """Decisions to accept, one each `every` days, with outcomes `y` (−1 = unknown) 90 days later."""
    n = len(probability)
    time = START + np.rint(np.arange(n) * every * DAY_MICROSECONDS).astype(np.int64)
    values: dict[str, object] = {
        "time": time,
        "model": np.zeros(n, np.int16),
        "probability": np.asarray(probability, np.float64),
        "decision": np.zeros(n, np.int8),
        "final": np.full(n, -1, np.int8),
        "defaulted": np.asarray(y, np.int8),
        "outcome_day": np.where(y >= 0, time // DAY_MICROSECONDS + OUTCOME_DAYS, -1).astype(np.int32),
        "amount_lost": np.full(n, np.nan),
        "challenger_probability": np.full(n, np.nan),
        "challenger_decision": np.full(n, -1, np.int8),
        "models": (MODEL,),
    }
    return History(**(values | columns))  # type: ignore[arg-type]


def find_end(history: History) -> int:
    """A time at which all is known."""
    return int(history.time.max(initial=START)) + 1_000 * DAY_MICROSECONDS
