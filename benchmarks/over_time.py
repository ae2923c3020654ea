"""`make bench-time`: whether training finds that a portfolio changes with time, and whether its figures are true.

Each made-up portfolio is trained on with a random hold-out and with the newest rows held out, with `auto`, by many
seeds. The figures of the newest rows are compared with the truth: the same model on fresh rows of the same period. A
95% interval should contain it in about 19 of 20 portfolios.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmarks.drifting import BREAK, BROKEN, MONTHS, STABLE, draw_months
from benchmarks.portfolios import Portfolio, Vector
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import write_page, write_table
from benchmarks.simulator import Change
from benchmarks.small_business import CRISIS, YEARS, draw_small_business
from benchmarks.training import Training, train
from model.calibration import fit_line, log_odds
from model.estimates import Estimate, auc
from train.report.intervals import mean, share_of
from train.report.out_of_sample import OutOfSample
from train.report.samples import measure_samples
from train.time_formats import parse_since

FIGURES = ("AUC", "log loss", "predicted / observed", "slope", "default rate")

FRESH_ROWS = 200_000

FRESH_SEED = 1_000_000
"""Added to the seed of a portfolio."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A portfolio with a column `time`. `draw`: makes it of a seed. `draw_fresh`: of a seed rows like the newest."""

    time: str
    draw: Callable[[int], Portfolio]
    draw_fresh: Callable[[int], Portfolio]


def in_months(changes: Sequence[Change]) -> Scenario:
    """Applicants of benchmarks/simulator.py, and these changes."""
    newest = range(BREAK, MONTHS)
    return Scenario(
        "Month",
        lambda seed: draw_months(seed, changes),
        lambda seed: draw_months(seed, changes, newest, FRESH_ROWS // len(newest)),
    )


SCENARIOS = {
    "stable": in_months(STABLE),
    "break": in_months(BROKEN),
    "crisis": Scenario(
        "ApprovalFY",
        draw_small_business,
        lambda seed: draw_small_business(seed, FRESH_ROWS, [year for year in YEARS if year >= CRISIS]),
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the newest rows, and the true one of the model on such rows."""

    estimate: Estimate
    truth: float

    @property
    def is_covered(self) -> bool:
        """Whether the interval contains the truth."""
        return not self.estimate.excludes(self.truth)


@dataclass(frozen=True, slots=True)
class Found:
    """Exit codes of training with a random hold-out and with the newest rows held out, its error, and its figures.

    `seconds`: CPU time of each of the two.
    """

    random_code: int
    code: int
    error: str
    seconds: tuple[float, float]
    figures: dict[str, Figure]


def run(name: str, options: Sequence[str], seed: int) -> Found:
    """Train on the portfolio of a seed in both ways."""
    scenario = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as folder:
        portfolio = scenario.draw(seed)
        table = portfolio.write(Path(folder, f"{name}.csv"))
        out = Path(folder, "random")
        given = (*portfolio.options, *options)
        shuffled = train(table, portfolio.target, out, "--ignore", scenario.time, *given)
        trained = train(table, portfolio.target, Path(folder, "time"), "--time", scenario.time, *given)
        fresh = scenario.draw_fresh(FRESH_SEED + seed)
        figures = measure(trained, table, fresh, fresh.write(Path(folder, "fresh.csv")))
    return Found(shuffled.code, trained.code, trained.error, (shuffled.seconds, trained.seconds), figures)


def measure(trained: Training, table: Path, fresh: Portfolio, fresh_table: Path) -> dict[str, Figure]:
    """The figures of the rows that training held out, as the report has them, with the true ones of `fresh`."""
    model, data = trained.load(), trained.read(table)
    if data.time is None:
        raise ValueError(f"the card of {trained.out} has no time; train with --time")
    held = data.take(np.flatnonzero(data.time >= parse_since(model.contract.training.since)))
    probability = model.score(held.X).probability
    rows = np.arange(len(held.y))
    (sample,) = measure_samples(OutOfSample(held.X, held.y, probability, rows, {}), model.contract.policy, 0)
    truth = expect_figures(model.score(trained.read(fresh_table).X).probability, fresh.chance)
    losses = log_losses(held.y, probability)
    estimates = {
        "AUC": sample.auc,
        "log loss": mean(losses),
        "predicted / observed": sample.calibration.ratio,
        "slope": sample.calibration.slope,
        "default rate": share_of(held.y == 1),
    }
    return {name: Figure(estimate, truth[name]) for name, estimate in estimates.items()}


def expect_figures(probability: Vector, chance: Vector) -> dict[str, float]:
    """The figures of predictions that are expected if each row defaults with its chance, shape (n,) each."""
    y, weight, both = np.repeat([1, 0], len(chance)), np.append(chance, 1 - chance), np.tile(probability, 2)
    return {
        "AUC": auc(y, both, weight).value,
        "log loss": float(np.average(log_losses(y, both), weights=weight)),
        "predicted / observed": float(probability.mean() / chance.mean()),
        "slope": fit_line(log_odds(both), y, weight=weight).slope,
        "default rate": float(chance.mean()),
    }


def log_losses(y: npt.NDArray[np.int64], probability: Vector) -> Vector:
    """The log loss of each row."""
    losses: Vector = -np.log(np.where(y == 1, probability, 1 - probability))
    return losses


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    seeds, rows, covered = range(1, options.seeds + 1), [], []
    with get_context("spawn").Pool(options.processes) as pool:
        for name in options.only or SCENARIOS:
            found = []
            for one in pool.imap(partial(run, name, options.options), seeds):
                print(name, one, flush=True)
                found.append(one)
            rows.append(describe_codes(name, found))
            covered.append(describe_figures(name, found))
    model = " ".join(options.options) or "--model auto"
    text = (
        f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, {options.seeds} seeds of each, {model}:\n\n"
        + write_table(["portfolio", "passes, random hold-out", "passes, newest rows held out", "CPU seconds"], rows)
        + "\nThe true figures of the newest rows, the median of the seeds, and how often the report's 95% interval "
        + "contains them:\n\n"
        + write_table(["portfolio", *FIGURES], covered)
    )
    print(text)
    if options.write:
        write_page(options.write, "over-time", text)


def describe_codes(name: str, found: Sequence[Found]) -> list[str]:
    """How often a portfolio passes the gate."""
    passed = (sum(one.random_code == 0 for one in found), sum(one.code == 0 for one in found))
    seconds = median(sum(one.seconds) / 2 for one in found)
    return [name, *(f"{count} of {len(found)}" for count in passed), f"{seconds:.0f}"]


def describe_figures(name: str, found: Sequence[Found]) -> list[str]:
    """The true figures of a portfolio, and how often the interval contains them."""
    cells = []
    for figure in FIGURES:
        figures = [one.figures[figure] for one in found]
        truth = median(one.truth for one in figures)
        cells.append(f"{truth:.3f}, {sum(one.is_covered for one in figures)} of {len(figures)}")
    return [name, *cells]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.over_time", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], choices=SCENARIOS, help="only this portfolio")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the tables between the markers of this page")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of `python -m train`, after --")
    return parser.parse_args()


if __name__ == "__main__":
    main()
