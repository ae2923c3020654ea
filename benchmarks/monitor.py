"""`make bench-monitor`: what the monitor finds in a simulated lender, how soon, and how often it is wrong; and others.

Each figure is over many seeds of benchmarks/simulator.py. Prints tables; --write puts them into docs/monitor.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.monitor_comparison import report_peers
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import write_page, write_table
from benchmarks.simulator import (
    DAY,
    NUMBERS,
    Change,
    Lender,
    Stream,
    end_of,
    load_champion,
    simulate,
)
from monitor.backtest import Backtest, make_backtest
from monitor.commands import DRIFT_DAYS, DRIFT_DECISIONS
from monitor.verdict import CHALLENGER_CHANCE, Action

WEEKS = 26
"""Verdicts of a run."""

BREAK_WEEK = 26
"""From here on the decisions are other ones; before it the model has been right for half a year."""

FIRST_OUTCOMES, MOST_OUTCOMES = 500, 4_000

OUTCOME_RATES = {0.08: 0.1365, 0.15: 0.229, 0.25: 0.334}
"""Default rate of the known outcomes → that of all applicants."""


@dataclass(frozen=True, slots=True)
class Found:
    """How one run went: the verdict after FIRST_OUTCOMES outcomes; outcomes until the first verdict of those sought.

    `outcomes`: None if it didn't come. `days_off`: of the change point, `is_covered`: whether its interval has the true
    moment; None without a change point.
    """

    action: Action
    outcomes: int | None
    days_off: float | None
    is_covered: bool | None


def judge(stream: Stream, lender: Lender, at: int, maturity: int | None = None) -> Backtest:
    """The backtest as of the end of a day, with the drift of as many decisions as the command looks at."""
    model = load_champion(lender)
    known = stream.until(at)
    start = min(at - DRIFT_DAYS * DAY, int(known.history.time[-DRIFT_DECISIONS:][0]))
    drift = known.tally(model.contract, start, at)
    return make_backtest(known.history, model.contract, model.sha256, drift, at, maturity=maturity)


def first_outcomes_week(lender: Lender) -> int:
    """The week in which the first outcomes are known."""
    return lender.months * 30 // 7 if not lender.is_default_known_early else 30 // 7


def judge_weeks(lender: Lender, seed: int, changes: Sequence[Change] = (), weeks: int = WEEKS) -> list[Backtest]:
    """A backtest at the end of each week from the first known outcome on."""
    first = first_outcomes_week(lender)
    stream = simulate(lender, first + weeks, changes, seed)
    return [judge(stream, lender, end_of(week)) for week in range(first, first + weeks)]


def count_verdicts(lender: Lender, seed: int) -> Counter[Action]:
    """The weekly verdicts where nothing changes."""
    return Counter(backtest.verdict.action for backtest in judge_weeks(lender, seed))


def name_shifted(change: Change, lender: Lender, seed: int) -> tuple[str, ...]:
    """What is named in the first week after a change: fields, "" for the probability."""
    stream = simulate(lender, change.week + 1, [change], seed)
    drift = judge(stream, lender, end_of(change.week)).drift
    return tuple(shift.field for shift in drift if shift.verdict != "stable")


def find_break(change: Change, lender: Lender, sought: Sequence[Action], seed: int) -> Found:
    """Whether a change in the outcomes is found with the first ones after it, and how many it takes."""
    stream = simulate(lender, change.week + 60, [change], seed)
    backtest = judge_after(stream, lender, change, FIRST_OUTCOMES)
    days_off = is_covered = None
    if found := backtest.change:
        began = end_of(change.week - 1)
        when, low, high = (_read_time(text) for text in (found.time, found.low, found.high))
        days_off, is_covered = abs(when - began) / DAY, low <= began <= high
    counts = (
        count
        for count in range(100, MOST_OUTCOMES, 100)
        if judge_after(stream, lender, change, count).verdict.action in sought
    )
    return Found(backtest.verdict.action, next(counts, None), days_off, is_covered)


def judge_after(stream: Stream, lender: Lender, change: Change, count: int) -> Backtest:
    """The backtest as of the day on which so many outcomes of decisions after a change are known."""
    history = stream.history
    is_after = (history.time >= end_of(change.week - 1)) & (history.outcome_day >= 0)
    day = np.sort(history.outcome_day[is_after])[count - 1]
    return judge(stream, lender, (int(day) + 1) * DAY)


def _read_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1e6


def compare_challenger(lender: Lender, seed: int) -> str:
    """What the verdict's evidence says of the challenger after half a year of outcomes."""
    weeks = first_outcomes_week(lender) + WEEKS
    found = judge(simulate(lender, weeks, (), seed), lender, end_of(weeks - 1)).challenger
    if found is None or found.difference is None or found.chance is None or found.chance >= CHALLENGER_CHANCE:
        return "equal"
    return "better" if found.difference.value > 0 else "worse"


QUIET = {
    "2,000 applicants a week": Lender(),
    "200 a week": Lender(200),
    "50 a week": Lender(50),
    "200 a week, a default known in the month it happens": Lender(200, is_default_known_early=True),
    "200 a week, default rate 8 %": Lender(200, default_rate=0.08),
}
"""Lenders where nothing changes."""

SHIFTS = {
    "one of six fields + 0.5 standard deviations": [Change(2, name, shift=0.5) for name in NUMBERS],
    "missing values: 25 % instead of 5 %": [Change(2, "Employment", missing=0.25)],
    "a level that nobody had, now 10 %": [Change(2, "Home", level="hostel", share=0.1)],
}

RELATION = Change(BREAK_WEEK, effects=(("Debt", 0.0), ("Employment", 0.0)))

OFF: tuple[Action, ...] = ("recalibrate", "retrain")

BREAKS: dict[str, tuple[Change, float, tuple[Action, ...]]] = {
    f"default rate of outcomes {rate:.0%}, × 1.5": (Change(BREAK_WEEK, default_rate=1.5), applicants, OFF)
    for rate, applicants in OUTCOME_RATES.items()
} | {"two fields lose their relation to default (9 % defaults): retrain": (RELATION, 0.15, ("retrain",))}
"""What changes, the default rate of applicants, and the verdicts that are right."""

CHALLENGERS = {
    "equal": Lender(challenger_unused=()),
    "better": Lender(unused=("Debt",), challenger_unused=()),
    "worse": Lender(challenger_unused=("Debt",)),
}
"""What the challenger is after half a year of outcomes."""

Run = Callable[[Callable[[int], Any]], list[Any]]
"""Calls a function with every seed."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitor", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer-seeds", type=int, default=5, help="of the comparison with others; 0 leaves it out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the tables between the markers of this document"
    )
    options = parser.parse_args()
    seeds = range(1, options.seeds + 1)
    with get_context("spawn").Pool(options.processes) as pool:
        parts = {"found": _report(lambda one: pool.map(one, seeds, chunksize=1), len(seeds))}
        if options.peer_seeds:
            parts["peers"] = report_peers(pool, options.peer_seeds)
    for name, text in parts.items():
        print(text)
        if options.write:
            write_page(options.write, name, text)


def _report(run: Run, seeds: int) -> str:
    """The table of what was found over the seeds."""
    rows = []
    for title, lender in QUIET.items():
        verdicts: Counter[Action] = sum(run(partial(count_verdicts, lender)), Counter())
        wrong = verdicts.total() - verdicts["keep"]
        others = ", ".join(f"{action} {count}" for action, count in verdicts.items() if action != "keep")
        share = f"{wrong} of {verdicts.total():,} weekly verdicts beyond keep ({wrong / verdicts.total():.1%})"
        rows.append([f"nothing; {title}", f"{share}: {others}" if wrong else share])
        print(rows[-1], flush=True)
    for title, changes in SHIFTS.items():
        named = [
            (change.field, fields) for change in changes for fields in run(partial(name_shifted, change, Lender()))
        ]
        found = sum(field in fields for field, fields in named)
        wrong_fields = sum(bool(set(fields) - {"", field}) for field, fields in named)
        rows.append([title, f"named in its first week {found} of {len(named)}; another field named {wrong_fields}"])
        print(rows[-1], flush=True)
    for title, (change, default_rate, sought) in BREAKS.items():
        rows.append([title, _describe(run(partial(find_break, change, Lender(200, default_rate), sought)), sought)])
        print(rows[-1], flush=True)
    rights = [
        f"{word} {sum(found == word for found in run(partial(compare_challenger, lender)))} of {seeds}"
        for word, lender in CHALLENGERS.items()
    ]
    rows.append(
        ["a challenger that is as good, or better or worse by one field of eight", f"called {', '.join(rights)} times"]
    )
    when = f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, {seeds} seeds of each:\n\n"
    return when + write_table(["what changes", "found"], rows).replace("---:", "---")


def _describe(found: Sequence[Found], sought: Sequence[Action]) -> str:
    """How often and how soon a break was found, and how well its moment."""
    first = sum(one.action in sought for one in found)
    needed = sorted(one.outcomes or MOST_OUTCOMES for one in found)
    text = (
        f"with the first {FIRST_OUTCOMES} outcomes {first} of {len(found)}; needed {median(needed):,.0f}, at most "
        f"{needed[-1]:,}"
    )
    days = [one.days_off for one in found if one.days_off is not None]
    covered = [one.is_covered for one in found if one.is_covered is not None]
    if not days:
        return text
    return f"{text}; its moment {median(days):.0f} days off, within the interval {sum(covered)} of {len(covered)}"


if __name__ == "__main__":
    main()
