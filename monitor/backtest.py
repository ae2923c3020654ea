"""Backtest: decisions on record against the outcomes that became known, all in one value that JSON can hold.

Made by `python -m monitor backtest`, shown by monitor.html. Everything is a function of the records and of one time.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from decisions.reading import write_time
from model.contract import Contract
from model.estimates import Estimate
from model.maturity import Maturity, choose_outcomes
from monitor.calibration import Calibration, CalibrationBin, calibrate, make_bins
from monitor.change_point import ChangePoint, find_change
from monitor.costs import PolicyCost, RejectRange, compare_policies, measure_rejects
from monitor.history import History, Integers, Small
from monitor.performance import ChallengerComparison, ExpectedPerformance, compare_challenger, expect_performance
from monitor.profit import Profit, measure_profit
from monitor.reviews import ReviewGroup, group_reviews
from monitor.rule_effects import RuleEffect, measure_rules
from monitor.shifts import FieldShift, Reference
from monitor.summary import ModelName
from monitor.tally import Tally, group_by_month
from monitor.terms import Terms, make_terms
from monitor.verdict import Verdict, judge
from monitor.vintages import Vintage, make_vintages

WINDOWS = (500, 2_000)
"""Latest outcomes that are looked at beside all: few enough to show a break early, and enough for a test of slope."""


class Version(Struct, frozen=True):
    """How many decisions a model made, `outcomes` of which are known."""

    model: ModelName
    decisions: int
    outcomes: int


class Month(Struct, frozen=True):
    """The decisions of a month (YYYY-MM), of all models, each by the probability that its model gave.

    `outcomes`: how many have a known one; the figures are of these, None where there are none, or too few.
    """

    month: str
    decisions: int
    accepted: int
    outcomes: int
    observed: Estimate | None
    predicted: float | None
    ratio: Estimate | None
    auc: Estimate | None
    slope: Estimate | None
    intercept: Estimate | None


class Backtest(Struct, frozen=True):
    """Decisions and outcomes from `start` to `end`, as known `at` a time: RFC 3339, None without decisions.

    `model`: the one in service, to which `windows`, `bins`, `change`, `expected`, `drift` and `verdict` belong; the
    others are of all models. `outcomes`: decisions whose outcome is known and counts. `drift`: the probability first,
    then the fields of the model; empty if it wasn't measured or has no bins; `drift_decisions`: on how many decisions.
    `unpriced`: decisions in no cost, as their inputs were erased, don't fit the model or have no exposure. `profit`:
    only of a policy in money; `rules`: of the model in service, on its own decisions.
    """

    at: str
    start: str | None
    end: str | None
    model: ModelName
    decisions: int
    accepted: int
    outcomes: int
    versions: list[Version]
    maturity: Maturity
    months: list[Month]
    windows: list[Calibration]
    bins: list[CalibrationBin]
    vintages: list[Vintage]
    change: ChangePoint | None
    costs: list[PolicyCost]
    reviews: list[ReviewGroup]
    rejected: RejectRange
    expected: ExpectedPerformance
    challenger: ChallengerComparison | None
    drift_decisions: int
    drift: list[FieldShift]
    verdict: Verdict
    unpriced: int = 0
    profit: list[Profit] = []
    rules: list[RuleEffect] = []


def make_backtest(
    history: History,
    contract: Contract,
    sha256: str,
    drift: Tally | None,
    at: int,
    *,
    maturity: int | None = None,
    challenger_trained_at: str | None = None,
    terms: Terms | None = None,
) -> Backtest:
    """Compare a history with its outcomes.

    `contract`, `sha256`: of the model in service. `drift`: its decisions of the period to be compared with training.
    `at`: microseconds since 1970. `maturity`: the performance window in days, see `choose_outcomes`; None = read off
    the records. `challenger_trained_at`: RFC 3339, of a challenger that has scored the record afterwards. `terms`: of
    `read_terms`; None for a policy without money and rules.
    """
    model = ModelName(contract.name, contract.version, sha256)
    policy = contract.policy
    terms = terms or make_terms(policy, history.probability)
    # Nobody waits for an outcome of those who were refused.
    awaited = np.flatnonzero((history.settled == 0) | (history.defaulted >= 0))
    known = choose_outcomes(
        history.time[awaited], history.outcome_day[awaited], history.defaulted[awaited], at, maturity
    )
    defaulted = np.full(len(history), -1, np.int8)
    defaulted[awaited] = known.defaulted
    in_service = history.model == next((index for index, one in enumerate(history.models) if one.sha256 == sha256), -1)
    rows = np.flatnonzero(in_service & (defaulted >= 0))
    time, probability, y = history.time[rows], history.probability[rows], defaulted[rows].astype(np.int64)
    windows = [calibrate(name, time[-size:], probability[-size:], y[-size:]) for name, size in _list_windows(len(y))]
    change = find_change(time, probability, y)
    challenger = compare_challenger(history, defaulted, terms, challenger_trained_at)
    shifts = None if drift is None else Reference(contract).measure(drift)
    shifted = [] if shifts is None else [*([shifts.probability] if shifts.probability else []), *shifts.fields]
    versions = [
        Version(one, int(is_its.sum()), int((is_its & (defaulted >= 0)).sum()))
        for index, one in enumerate(history.models)
        for is_its in [history.model == index]
        if is_its.any()
    ]
    return Backtest(
        at=write_time(at),
        start=write_time(int(history.time[0])) if len(history) else None,
        end=write_time(int(history.time[-1])) if len(history) else None,
        model=model,
        decisions=len(history),
        accepted=int((history.settled == 0).sum()),
        outcomes=int((defaulted >= 0).sum()),
        versions=versions,
        maturity=known.maturity,
        months=[_measure_month(month, rows, history, defaulted) for month, rows in group_by_month(history.time)],
        windows=windows,
        bins=make_bins(probability, y),
        vintages=make_vintages(history, defaulted),
        change=change,
        costs=compare_policies(history, defaulted, policy, terms),
        reviews=group_reviews(history, defaulted, terms),
        rejected=measure_rejects(history, defaulted),
        expected=expect_performance(
            history.probability[in_service], history.decision[in_service], terms.take(in_service)
        ),
        challenger=challenger,
        drift_decisions=0 if drift is None else drift.decisions,
        drift=shifted,
        verdict=judge(windows, change, shifted, challenger, known.maturity, sha256),
        unpriced=int((~terms.is_known).sum()),
        profit=[] if policy.money is None else measure_profit(history, defaulted, terms),
        rules=measure_rules(policy.rules, history, defaulted, terms, in_service),
    )


def _list_windows(outcomes: int) -> list[tuple[str, int]]:
    """Names and sizes of the windows of outcomes, the shortest first."""
    latest = [(f"latest {size:,}", size) for size in WINDOWS if size < outcomes]
    return [*latest, ("all", outcomes)] if outcomes else []


def _measure_month(month: str, rows: Integers, history: History, defaulted: Small) -> Month:
    known = rows[defaulted[rows] >= 0]
    y = defaulted[known].astype(np.int64)
    found = calibrate(month, history.time[known], history.probability[known], y) if len(known) else None
    return Month(
        month=month,
        decisions=len(rows),
        accepted=int((history.settled[rows] == 0).sum()),
        outcomes=len(known),
        observed=found.observed if found else None,
        predicted=found.predicted if found else None,
        ratio=found.ratio if found else None,
        auc=found.auc if found else None,
        slope=found.slope if found else None,
        intercept=found.intercept if found else None,
    )
