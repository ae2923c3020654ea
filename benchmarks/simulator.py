"""A synthetic lender whose applicants, relation and outcomes change at a known week: what the monitor has to find.

The model file is made by train/, and probabilities and decisions by its graph. No database is needed, for runs over
many seeds; benchmarks/simulated_records.py writes the same streams into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from model.contract import CONTRACT_VERSION, Contract, Golden, Training
from model.loading import load_model
from model.policy import DECISIONS
from model.session import Matrix, Model
from monitor.history import History
from monitor.summary import ModelName
from monitor.tally import Layout, Tally
from train.bins import bin_numbers, make_bins
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, CardPolicy
from train.contract import make_fields
from train.export import draw_reference, export
from train.policy import make_policy
from train.readers.describe import describe

Integers = npt.NDArray[np.int64]

HOUR = 3_600 * 1_000_000
DAY = 24 * HOUR
WEEK = 7 * DAY
"""Microseconds."""

MONTH_DAYS = 30

START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""A Monday, the start of every stream; microseconds since 1970."""

NUMBERS = {
    "Income": (2_600.0, 550.0, -0.45),
    "Amount": (9_000.0, 2_000.0, 0.50),
    "Age": (44.0, 10.0, -0.25),
    "Employment": (96.0, 22.0, -0.55),
    "Debt": (0.42, 0.10, 0.70),
    "Inquiries": (5.0, 1.2, 0.35),
}
"""Numeric field → mean, standard deviation, and the change in log-odds of default for one standard deviation."""

CORRELATED = {("Income", "Amount"): 0.5, ("Age", "Employment"): 0.5, ("Income", "Debt"): -0.3}

LEVELS = {
    "Home": {"own": (0.45, -0.4), "rent": (0.40, 0.3), "parents": (0.15, 0.0), "hostel": (0.0, 0.8)},
    "Channel": {"branch": (0.5, -0.1), "online": (0.4, 0.2), "broker": (0.1, 0.5)},
}
"""Category → level → share of the applicants, and its part of the log-odds. Nobody has lived in a hostel yet."""

FIELDS = (*NUMBERS, *LEVELS)

MISSING_FIELD, MISSING_SHARE = "Employment", 0.05

TRAINING_ROWS = 40_000

ROWS_AT_ONCE = 5_000

REVIEWED_ACCEPTED, OVERRIDES = 0.5, 0.02
"""Share of reviewed applicants whom a person accepts, and of the model's other decisions that a person reverses."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from a week on.

    `shift`: standard deviations by which a numeric `field` moves. `missing`: its share without a value. `level`,
    `share`: a level of the category `field`, and the share that it has then. `effects`: fields, each with its change in
    log-odds for one standard deviation, instead of the one in NUMBERS. `default_rate`: factor of everybody's chance of
    default.
    """

    week: int
    field: str = ""
    shift: float = 0.0
    missing: float | None = None
    level: str = ""
    share: float = 0.0
    effects: tuple[tuple[str, float], ...] = ()
    default_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Lender:
    """A lender: applicants a week, their default rate, and months after which it is known who has defaulted.

    `is_default_known_early`: whether a default is known in the month in which it happens, instead of at the end.
    `unused`: fields whose values the model in service was trained without; `challenger_unused`: the same of the
    challenger, None for no challenger.
    """

    weekly: int = 2_000
    default_rate: float = 0.15
    months: int = 3
    is_default_known_early: bool = False
    unused: tuple[str, ...] = ()
    challenger_unused: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Applicants:
    """`X`: float64, shape (n, n_fields), as the graph takes them. `chance`: the true chance of default, shape (n,)."""

    X: Matrix
    chance: Matrix


@dataclass(frozen=True, slots=True)
class Stream:
    """All that happened: the decisions of a history, and of each the inputs, float64, shape (n, n_fields).

    `is_default`: whether an applicant defaults, or would have; nobody knows it of those who were refused.
    """

    X: Matrix
    is_default: npt.NDArray[np.bool_]
    history: History

    def until(self, end: int) -> Stream:
        """What is on record at the end of a day, microseconds since 1970."""
        size = int(np.searchsorted(self.history.time, end))
        arrays: dict[str, Any] = {name: value[:size] for name, value in _columns(self.history).items()}
        is_unknown = arrays["outcome_day"] >= end // DAY
        for name, none in (("defaulted", -1), ("outcome_day", -1), ("amount_lost", np.nan)):
            arrays[name] = np.where(is_unknown, none, arrays[name]).astype(arrays[name].dtype)
        return Stream(self.X[:size], self.is_default[:size], replace(self.history, **arrays))

    def tally(self, contract: Contract, start: int, end: int) -> Tally:
        """The decisions from `start` to before `end`, counted in the bins of the model."""
        first, last = np.searchsorted(self.history.time, [start, end])
        layout = Layout(contract)
        decision = self.history.decision[first:last].astype(np.int64)
        return layout.read(layout.count(self.X[first:last], self.history.probability[first:last], decision))


def _columns(history: History) -> dict[str, npt.NDArray[Any]]:
    return {name: value for name in history.__slots__ if isinstance(value := getattr(history, name), np.ndarray)}


def end_of(week: int) -> int:
    """The end of a week, counted from 0; microseconds since 1970."""
    return START + (week + 1) * WEEK


def simulate(lender: Lender, weeks: int, changes: Sequence[Change], seed: int) -> Stream:
    """The stream of a lender over so many weeks, with all outcomes that will ever be known."""
    random = np.random.default_rng(seed)
    champion = load_champion(lender)
    parts = [
        draw_applicants(random, lender, lender.weekly, [change for change in changes if week >= change.week])
        for week in range(weeks)
    ]
    X, chance = np.concatenate([part.X for part in parts]), np.concatenate([part.chance for part in parts])
    n = len(X)
    scores = champion.score(X)
    final = _review(random, scores.decision)
    is_accepted = np.where(final >= 0, final, scores.decision) == DECISIONS.index("accept")
    is_default = random.random(n) < chance
    time = START + np.arange(n) * WEEK // lender.weekly
    months = np.full(n, lender.months)
    if lender.is_default_known_early:
        months = np.where(is_default, random.integers(1, lender.months + 1, n), months)
    amount = np.round(X[:, FIELDS.index("Amount")] * random.uniform(0.3, 0.9, n), 2)
    challenger = None if lender.challenger_unused is None else load_challenger(lender)
    others = challenger.score(X) if challenger else None
    history = History(
        time=time,
        model=np.zeros(n, np.int8),
        probability=scores.probability,
        decision=scores.decision.astype(np.int8),
        final=final.astype(np.int8),
        defaulted=np.where(is_accepted, is_default, -1).astype(np.int8),
        outcome_day=np.where(is_accepted, time // DAY + months * MONTH_DAYS, -1).astype(np.int32),
        amount_lost=np.where(is_accepted & is_default, amount, np.nan),
        challenger_probability=others.probability if others else np.full(n, np.nan),
        challenger_decision=(others.decision if others else np.full(n, -1)).astype(np.int8),
        models=(_name(champion), *([_name(challenger)] if challenger else [])),
        challenger=_name(challenger) if challenger else None,
    )
    return Stream(X, is_default, history)


def _name(model: Model) -> ModelName:
    return ModelName(model.contract.name, model.contract.version, model.sha256)


def _review(random: np.random.Generator, decision: Integers) -> Integers:
    """The decisions of people: on each case for review, and on a few of the others. −1 = none."""
    accept, review, refuse = range(3)
    chosen = np.where(random.random(len(decision)) < REVIEWED_ACCEPTED, accept, refuse)
    is_overridden = random.random(len(decision)) < OVERRIDES
    overridden = np.where(decision == accept, refuse, accept)
    return np.where(decision == review, chosen, np.where(is_overridden, overridden, -1))


def draw_applicants(
    random: np.random.Generator,
    lender: Lender,
    n: int,
    changes: Sequence[Change] = (),
    *,
    intercept: float | None = None,
) -> Applicants:
    """Applicants of a lender after these changes."""
    Z = random.multivariate_normal(np.zeros(len(NUMBERS)), _correlation(), n)
    is_missing = random.random(n)
    picks = random.random((n, len(LEVELS)))
    effects = {name: effect for name, (_, _, effect) in NUMBERS.items()}
    shares = {name: {level: share for level, (share, _) in levels.items()} for name, levels in LEVELS.items()}
    missing, factor = MISSING_SHARE, 1.0
    for change in changes:
        effects |= dict(change.effects)
        factor *= change.default_rate
        if change.shift:
            Z[:, list(NUMBERS).index(change.field)] += change.shift
        if change.missing is not None:
            missing = change.missing
        if change.level:
            others = {level: share * (1 - change.share) for level, share in shares[change.field].items()}
            shares[change.field] = others | {change.level: change.share}
    log_odds = Z @ np.array(list(effects.values()))
    columns = [mean + deviation * z for (mean, deviation, _), z in zip(NUMBERS.values(), Z.T, strict=True)]
    place = list(NUMBERS).index(MISSING_FIELD)
    # Who gives no value is, on average, as the others: the model takes the median.
    log_odds -= np.where(is_missing < missing, Z[:, place] * effects[MISSING_FIELD], 0.0)
    columns[place] = np.where(is_missing < missing, np.nan, columns[place])
    for (name, levels), pick in zip(LEVELS.items(), picks.T, strict=True):
        level = np.searchsorted(np.cumsum(list(shares[name].values()))[:-1], pick, side="right")
        log_odds += np.array([effect for _, effect in levels.values()])[level]
        columns.append(level.astype(np.float64))
    log_odds += find_intercept(lender.default_rate) if intercept is None else intercept
    chance = np.minimum(factor / (1 + np.exp(-log_odds)), 0.99)
    return Applicants(np.round(np.column_stack(columns), 4), chance)


@cache
def _correlation() -> Matrix:
    names = list(NUMBERS)
    matrix = np.eye(len(names))
    for (one, other), value in CORRELATED.items():
        matrix[names.index(one), names.index(other)] = matrix[names.index(other), names.index(one)] = value
    return matrix


@cache
def find_intercept(default_rate: float) -> float:
    """The intercept of the log-odds that gives this default rate, by bisection."""
    low, high = -10.0, 10.0
    lender = Lender(default_rate=default_rate)
    log_odds = draw_applicants(np.random.default_rng(0), lender, 200_000, intercept=0.0).chance
    log_odds = np.log(log_odds / (1 - log_odds))
    for _ in range(40):
        middle = (low + high) / 2
        is_high = np.mean(1 / (1 + np.exp(-log_odds - middle))) > default_rate
        low, high = (low, middle) if is_high else (middle, high)
    return low


def load_champion(lender: Lender) -> Model:
    """The model in service."""
    return load_model(make_content(lender.default_rate, lender.unused))


def load_challenger(lender: Lender) -> Model:
    """The model in the shadow."""
    return load_model(make_content(lender.default_rate, lender.challenger_unused or (), seed=2))


@cache
def make_content(default_rate: float, unused: tuple[str, ...] = (), seed: int = 1) -> bytes:
    """The bytes of a model file, trained on the lender's applicants of an earlier time.

    A field that is `unused` is there, with values that say nothing. About two thirds are accepted.
    """
    random = np.random.default_rng(1_000_000 + seed)
    lender = Lender(default_rate=default_rate)
    card = _make_card(default_rate)
    training, other = (draw_applicants(random, lender, TRAINING_ROWS) for _ in range(2))
    for name in unused:
        for part in (training, other):
            random.shuffle(part.X[:, FIELDS.index(name)])
    y = (random.random(TRAINING_ROWS) < training.chance).astype(np.int64)
    fields = tuple(make_fields(card))
    pipeline = CANDIDATES["logistic"].build(list(card.inputs.values()), seed).fit(training.X, y)
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name="simulated",
        version=f"2023.12.31-{seed:08x}",
        trained_at="2023-12-31T00:00:00Z",
        fields=fields,
        policy=make_policy(card.policy),
        base_value=0.0,
        training=Training("logistic", TRAINING_ROWS, 0, float(y.mean()), seed, "data", "card", "commit", {}),
        metrics={},
        golden=Golden((), (), ()),
        bins=make_bins(fields, training.X),
        probability_bins=bin_numbers(pipeline.predict_proba(other.X)[:, 1]),
    )
    return export(describe(pipeline), contract, draw_reference(training.X, seed))


def _make_card(default_rate: float) -> Card:
    numbers = {name: CardField(name, "number", nullable=name == MISSING_FIELD, reason=name) for name in NUMBERS}
    categories = {
        name: CardField(name, "category", levels=tuple(levels), reason=name) for name, levels in LEVELS.items()
    }
    # Review from 1.2 to 2 times the default rate.
    review = 1 - 2 * default_rate
    policy = CardPolicy(cost_default=review / (1.2 * default_rate), cost_good=1.0, cost_review=review)
    return Card(
        CardDataset(name="simulated", path="simulated.csv", target="default", default=1), numbers | categories, policy
    )
