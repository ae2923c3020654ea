"""`make bench-strength`: our default `auto` against LightGBM that Optuna tunes in the same CPU time.

Both choose by the same folds of the same rows, and are measured on the same fifth of the rows, which neither saw. The
CPU time is that of the whole command `python -m train`, with its checks and its report. A row is the mean over seeds,
and the difference has its standard error. Prints a table; --write puts it into a document.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from benchmarks.competitors import COMPETITORS
from benchmarks.home_equity import draw_home_equity
from benchmarks.portfolios import Portfolio
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import write_page, write_table
from benchmarks.small_business import draw_small_business
from benchmarks.training import train
from train.candidates import Hyperparameters
from train.card import CardField
from train.cross_validation import best_trial, cross_validate
from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.holdout import split_rows
from train.search import check_optuna, search
from train.threads import limit_threads

CREDIT_CARD = Path(__file__).resolve().parent.parent / "data" / "credit_data.toml"

PORTFOLIOS: dict[str, Callable[[int], Portfolio]] = {
    "home equity, made up": draw_home_equity,
    "small business, made up": draw_small_business,
}

MAX_RUNS = 10_000

HEADINGS = (
    "table",
    "hold-out",
    "ours, log loss",
    "LightGBM, tuned",
    "LightGBM, default",
    "ours − tuned",
    "ours, AUC",
    "LightGBM, tuned, AUC",
    "CPU seconds",
    "rejected",
)


@dataclass(frozen=True, slots=True)
class Task:
    """Training on a table with a seed; `source`: a card, a table if there is a `target`, or a name in PORTFOLIOS."""

    title: str
    source: str
    target: str | None
    seed: int
    is_compared: bool


@dataclass(frozen=True, slots=True)
class Score:
    """Log loss and AUC on the hold-out."""

    log_loss: float
    auc: float


@dataclass(frozen=True, slots=True)
class Result:
    """The scores on `rows` rows; `code`: the exit code; `estimator`, `settings`: what `auto` chose; `runs`: settings
    that LightGBM tried."""

    rows: int
    seconds: float
    code: int
    estimator: str
    settings: Hyperparameters
    ours: Score
    default: Score | None = None
    tuned: Score | None = None
    runs: int = 0


def main() -> None:
    """Measure every table with every seed, one process a core."""
    check_optuna()
    options = parse_arguments()
    tables = [("credit_data", str(CREDIT_CARD), None), *((title, title, None) for title in PORTFOLIOS)]
    tables += [(Path(path).stem, path, target) for path, _, target in (one.rpartition(":") for one in options.table)]
    chosen = [table for table in tables if not options.only or table[0] in options.only]
    rows = []
    with get_context("spawn").Pool(options.processes) as pool:
        for table in chosen:
            tasks = [Task(*table, seed, seed < options.peer_seeds) for seed in range(options.seeds)]
            results = []
            for task, result in zip(tasks, pool.imap(measure, tasks), strict=True):
                print(f"{task.title}, seed {task.seed}: {result}", flush=True)
                results.append(result)
            rows.append(summarize(table[0], results))
    text = f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}:\n\n{write_table(HEADINGS, rows)}"
    print(text)
    if options.write:
        write_page(options.write, "strength", text)


def measure(task: Task) -> Result:
    """Train on one table with one seed, then tune LightGBM for as long."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, given = Path(task.source), task.target, list[str]()
        if task.source in PORTFOLIOS:
            portfolio = PORTFOLIOS[task.source](task.seed)
            source, target = portfolio.write(Path(folder, "made-up.csv")), portfolio.target
            given = portfolio.options
        trained = train(source, target, Path(folder, "out"), "--seed", str(task.seed), *given)
        data = trained.read(source if target else source.parent / trained.card.dataset.path)
        model = trained.load()
    partition = split_rows(data.y, task.seed)
    training, held = data.take(partition.training_rows), data.take(partition.holdout_rows)
    ours = score(held, model.score(held.X).probability)
    chosen = model.contract.training
    result = (len(held.y), trained.seconds, trained.code, chosen.estimator, dict(chosen.settings), ours)
    if not task.is_compared:
        return Result(*result)
    return Result(*result, *tune(training, held, list(trained.card.inputs.values()), task.seed, trained.seconds))


def tune(
    training: Dataset, held: Dataset, fields: list[CardField], seed: int, seconds: float
) -> tuple[Score, Score, int]:
    """LightGBM's scores with the default and with the best settings, and the number of settings tried."""
    check_optuna()
    lightgbm = COMPETITORS[0]
    deadline = time.process_time() + seconds
    with limit_threads(0):
        first = cross_validate(lightgbm, training, fields, seed)
        trials = [first, *search(first, training, fields, seed, MAX_RUNS, deadline, clock=time.process_time)]
        scores = (
            score(held, fit(lightgbm.build(fields, seed, one.settings), training).predict_proba(held.X)[:, 1])
            for one in (first, best_trial(trials))
        )
        default, tuned = scores
    return default, tuned, len(trials)


def score(held: Dataset, probability: Matrix) -> Score:
    """The scores of probabilities, shape (n,)."""
    return Score(float(log_loss(held.y, probability, labels=[0, 1])), float(roc_auc_score(held.y, probability)))


def summarize(title: str, results: Sequence[Result]) -> list[str]:
    """A row of the table: means over the seeds."""
    pairs = [(one.ours, one.default, one.tuned) for one in results if one.default and one.tuned]
    ours, default, tuned = (np.array([[one.log_loss, one.auc] for one in part]) for part in zip(*pairs, strict=True))
    differences = ours[:, 0] - tuned[:, 0]
    error = f" ± {differences.std(ddof=1) / np.sqrt(len(pairs)):.4f}" if len(pairs) > 1 else ""
    rejected = sum(one.code != 0 for one in results)
    return [
        title,
        f"{results[0].rows:,}",
        *(f"{losses[:, 0].mean():.4f}" for losses in (ours, tuned, default)),
        f"{differences.mean():+.4f}{error}",
        *(f"{aucs[:, 1].mean():.4f}" for aucs in (ours, tuned)),
        f"{np.mean([one.seconds for one in results]):.0f}",
        f"{rejected} of {len(results)}",
    ]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strength", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer-seeds", type=int, default=5, help="of them, those in which LightGBM is tuned too")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="append", default=[], metavar="PATH:TARGET", help="a further table, as CSV")
    parser.add_argument("--only", action="append", default=[], metavar="TABLE", help="only the table of this title")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table between the markers of this page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
