"""Other monitors beside ours on the same simulated streams: found or not, when, false alarms, seconds, packages.

Every stream has 13 weeks of 2,000 applicants as in training, then 13 after a change, in portions of 500 outcomes in the
order of the decisions.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing.pool import Pool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from benchmarks.serve.environments import install
from benchmarks.serve.errors import BenchError
from benchmarks.serve.page import write_table
from benchmarks.simulator import (
    DAY,
    FIELDS,
    START,
    WEEK,
    Change,
    Integers,
    Lender,
    Stream,
    end_of,
    load_champion,
    simulate,
)
from model.estimates import auc, expect_auc
from monitor.backtest import make_backtest
from monitor.shifts import Reference

FOLDER = Path(__file__).parent / "monitor_peers"

BUILD = Path(__file__).resolve().parent.parent / "build" / "bench"

PEERS = ("evidently", "nannyml")

WEEKS, CHANGE_WEEK = 26, 13

LENDER = Lender()

PORTION = 500

NEVER = NO_PORTION = 10**9

REFERENCE_WEEKS = 10
"""Of the reference that the others need: applicants as in training, with outcomes."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A change, the weeks that are compared with the reference, and how many portions of outcomes, all from it on."""

    change: Change | None
    weeks: range
    portions: int


QUIET = "nothing"

AFTER = range(CHANGE_WEEK, CHANGE_WEEK + 3)

SCENARIOS = {
    QUIET: Scenario(None, range(WEEKS), 0),
    "Debt + 0.5 standard deviations": Scenario(Change(CHANGE_WEEK, "Debt", shift=0.5), AFTER, 1),
    "Employment: 25 % missing instead of 5 %": Scenario(Change(CHANGE_WEEK, "Employment", missing=0.25), AFTER, 1),
    "default rate × 1.5": Scenario(Change(CHANGE_WEEK, default_rate=1.5), AFTER, 20),
    "two fields lose their relation to default": Scenario(
        Change(CHANGE_WEEK, effects=(("Debt", 0.0), ("Employment", 0.0))), AFTER, 20
    ),
}
"""0 portions: all, from the first week on."""


class Answer(Struct, frozen=True):
    """What a monitor says of a stream, see monitor_peers/__init__.py."""

    drift: list[list[str]]
    estimated_auc: list[float] | None
    realised: list[bool]
    seconds: float


@dataclass(frozen=True, slots=True)
class Case:
    """A stream, and one without a change as reference.

    `portions`: of each decision, counted from the first that is to be judged; below 0 for earlier ones, NO_PORTION
    without an outcome or for later ones.
    """

    stream: Stream
    reference: Stream
    weeks: range
    portions: Integers

    @property
    def count(self) -> int:
        """How many portions are to be judged."""
        return int(self.portions[self.portions < NO_PORTION].max()) + 1


def make_case(scenario: Scenario, seed: int) -> Case:
    """A stream, cut so that a portion of outcomes begins with the change."""
    stream = simulate(LENDER, WEEKS, [scenario.change] if scenario.change else [], seed)
    is_known = stream.history.outcome_day >= 0
    before = int(np.count_nonzero(is_known & (stream.history.time < end_of(CHANGE_WEEK - 1))))
    number = (np.cumsum(is_known) - 1 - before) // PORTION
    if not scenario.portions:
        number += before // PORTION
    last = scenario.portions or (np.count_nonzero(is_known) - before) // PORTION + before // PORTION
    portions = np.where(is_known & (number < last), number, NO_PORTION)
    return Case(stream, simulate(LENDER, REFERENCE_WEEKS, (), seed + 1_000_000), scenario.weeks, portions)


def ask_ours(case: Case) -> Answer:
    """What this monitor says: fields by index and noise, the expected AUC, the verdict after each portion."""
    model = load_champion(LENDER)
    history = case.stream.history
    drift, expected, realised = [], [], []
    began = time.process_time()
    reference = Reference(model.contract)
    for week in case.weeks:
        shifts = reference.measure(case.stream.tally(model.contract, end_of(week - 1), end_of(week)))
        found = [*([shifts.probability] if shifts.probability else []), *shifts.fields]
        drift.append([shift.field or "probability" for shift in found if shift.verdict != "stable"])
    seconds = (time.process_time() - began) / len(case.weeks)
    for week in case.weeks:
        first, last = np.searchsorted(history.time, [end_of(week - 1), end_of(week)])
        expected.append(expect_auc(history.probability[first:last][history.defaulted[first:last] >= 0]) or np.nan)
    for portion in range(case.count):
        is_known = case.portions <= portion
        known = replace(history, defaulted=np.where(is_known, history.defaulted, -1).astype(np.int8))
        at = int(history.outcome_day[case.portions == portion].max()) * DAY
        verdict = make_backtest(known, model.contract, model.sha256, None, at).verdict
        realised.append(verdict.action in ("recalibrate", "retrain"))
        if realised[-1] and case.weeks == AFTER:
            break
    return Answer(drift, expected, realised, seconds)


def ask_peer(case: Case, peer: str, python: Path) -> Answer:
    """What another monitor says; raises BenchError."""
    kinds = [field.kind for field in load_champion(LENDER).contract.fields]
    weeks = (case.stream.history.time - START) // WEEK
    in_weeks = (weeks >= case.weeks.start) & (weeks < case.weeks.stop)
    is_judged = (case.portions >= 0) & (case.portions < NO_PORTION)
    numbers = {
        "reference_number": (case.reference.history.time - START) // WEEK,
        "week_number": weeks[in_weeks] - case.weeks.start,
        "outcomes_number": case.portions[is_judged],
    }
    with TemporaryDirectory() as folder:
        stream, answer = Path(folder) / "stream.npz", Path(folder) / "answer.json"
        arrays = (
            _arrays("reference", case.reference, slice(None))
            | _arrays("week", case.stream, in_weeks)
            | _arrays("outcomes", case.stream, is_judged)
        )
        np.savez(stream, allow_pickle=False, names=FIELDS, kinds=kinds, **numbers, **arrays)
        command = [str(python), str(FOLDER / peer / "run.py"), str(stream), str(answer)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise BenchError(f"{peer} has failed: {ended.stderr}")
        return msgspec.json.decode(answer.read_bytes(), type=Answer)


def _arrays(part: str, stream: Stream, chosen: npt.NDArray[np.bool_] | slice) -> dict[str, npt.NDArray[Any]]:
    history = stream.history
    return {
        f"{part}_X": stream.X[chosen],
        f"{part}_probability": history.probability[chosen],
        f"{part}_prediction": (history.decision[chosen] != 0).astype(np.int64),
        f"{part}_defaulted": history.defaulted[chosen].astype(np.int64),
    }


def measure_auc(case: Case) -> list[float]:
    """The AUC of each week's accepted applicants, as it turns out."""
    history = case.stream.history
    weeks = (np.searchsorted(history.time, [end_of(week - 1), end_of(week)]) for week in case.weeks)
    known = [first + np.flatnonzero(history.defaulted[first:last] >= 0) for first, last in weeks]
    return [auc(history.defaulted[rows].astype(np.int64), history.probability[rows]).value for rows in known]


@dataclass(frozen=True, slots=True)
class Run:
    """What a monitor said of a case, and the AUC of its weeks as it turned out."""

    answer: Answer
    auc: list[float]


def run_case(task: tuple[str, str, int]) -> Run:
    """One monitor, by name or "ours", on one scenario with a seed."""
    who, title, seed = task
    case = make_case(SCENARIOS[title], seed)
    answer = ask_ours(case) if who == "ours" else ask_peer(case, who, BUILD / who / "bin" / "python")
    return Run(answer, measure_auc(case))


def report_peers(pool: Pool, seeds: int) -> str:
    """The table of all monitors."""
    for peer in PEERS:
        install(FOLDER / peer / "requirements.txt", BUILD / peer)
    columns = []
    for who in ("ours", *PEERS):
        tasks = [(who, title, seed) for title in SCENARIOS for seed in range(1, seeds + 1)]
        runs = pool.map(run_case, tasks, chunksize=1)
        columns.append(
            _describe(who, {title: runs[at * seeds : (at + 1) * seeds] for at, title in enumerate(SCENARIOS)})
        )
        print(columns[-1], flush=True)
    head = [f"{seeds} seeds of each case", "this monitor", *(f"{peer} {read_version(peer)}" for peer in PEERS)]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return write_table(head, rows)


def _describe(who: str, runs: dict[str, list[Run]]) -> dict[str, str]:
    """The rows of one monitor."""
    quiet = [one.answer for one in runs[QUIET]]
    named = [names for answer in quiet for names in answer.drift]
    different = [is_off for answer in quiet for is_off in answer.realised]
    rows = {
        "nothing: weeks with a shift": _share([bool(names) for names in named]),
        "nothing: portions of outcomes called different": _share(different),
    }
    for title, scenario in SCENARIOS.items():
        if scenario.change is None:
            continue
        if field := scenario.change.field:
            first = [one.answer.drift[0] for one in runs[title]]
            found = sum(field in names for names in first)
            only = sum(set(names) - {"probability"} == {field} for names in first)
            rows[f"{title}: named in the first week, and no other field"] = f"{found}, {only} of {len(first)}"
        else:
            needed = sorted(
                (answer.realised.index(True) + 1) * PORTION if True in answer.realised else NEVER
                for answer in (one.answer for one in runs[title])
            )
            middle = needed[len(needed) // 2]
            rows[f"{title}: found with the first {PORTION} outcomes; with, in half of the runs"] = (
                f"{needed.count(PORTION)} of {len(needed)}; "
                + (f"{middle:,}" if middle < NEVER else f"not with {scenario.portions * PORTION:,}")
            )
    errors = [
        abs(expected - found)
        for run in chain.from_iterable(runs.values())
        for expected, found in zip(run.answer.estimated_auc or [], run.auc, strict=False)
    ]
    rows["AUC of a week expected without outcomes: mean error"] = f"{np.mean(errors):.3f}" if errors else "–"
    rows["seconds of a core for the drift of a week"] = f"{np.mean([answer.seconds for answer in quiet]):.3f}"
    packages, megabytes = (0, 0) if who == "ours" else measure_environment(BUILD / who)
    rows["packages of its environment"] = f"{packages}, {megabytes:,} MB" if packages else "none but the service's"
    return rows


def _share(answers: Sequence[bool]) -> str:
    return f"{sum(answers)} of {len(answers)}"


def read_version(peer: str) -> str:
    """The version that is pinned."""
    lines = (FOLDER / peer / "requirements.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{peer}=="))


def measure_environment(folder: Path) -> tuple[int, int]:
    """Number of packages in an environment, and their megabytes."""
    (packages,) = folder.glob("lib/*/site-packages")
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    return len(list(packages.glob("*.dist-info"))), round(size / 1e6)
