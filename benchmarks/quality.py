"""`make bench-quality`: how good our models are beside five others, on the same folds and with equal search time.

Five-fold AUC and log loss over a whole table, of each model's default settings and of the best that Optuna
finds in so many seconds of the processor, which a busy machine makes longer but not fewer. A tuned figure is
the best on the folds it was chosen on: a little flattering, for every model alike. Prints a table, and
with --write puts it into docs/quality.md.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.rivals import RIVALS
from train.candidates import CANDIDATES
from train.card import Card, read_card
from train.choose import FOLDS, Trial, choose, try_candidate
from train.dataset import Dataset, encode
from train.files import write_whole
from train.infer import infer_card
from train.search import check_optuna, search
from train.table import read_table
from train.threads import limit_threads

CREDIT_CARD = Path(__file__).resolve().parent.parent / "data" / "credit_data.toml"
OURS = ("logistic", "boosting")
COMPARED = {one.name: one for one in (*(CANDIDATES[name] for name in OURS), *RIVALS)}
MOST_RUNS = 10_000
SEED = 0
HEADINGS = ("", "default AUC", "default log loss", "tuned AUC", "tuned log loss", "runs")


@dataclass(frozen=True, slots=True)
class Task:
    """One model on one table; `target` only where the card is to be inferred."""

    path: Path
    target: str | None
    candidate: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """AUC and log loss of the default and of the tuned settings, and how many settings were tried."""

    default: tuple[float, float]
    tuned: tuple[float, float]
    runs: int


def main() -> None:
    """Measure every model on every table, two at a time on two processors."""
    given = parse()
    tables: list[tuple[Path, str | None]] = [(CREDIT_CARD, None)]
    if given.taiwan:
        tables.append((given.taiwan, "default"))
    tasks = [Task(path, target, name, given.seconds) for path, target in tables for name in COMPARED]
    console = Console()
    results = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for task, result in zip(tasks, pool.map(measure, tasks), strict=True):
            results.append(result)
            console.print(f"{task.path.stem}, {COMPARED[task.candidate].title}: {result}", soft_wrap=True)
    lines = []
    for place, (path, _) in enumerate(tables):
        rows = format_rows(results[place * len(COMPARED) : (place + 1) * len(COMPARED)])
        show(console, path.stem, rows)
        lines += [f"### {path.stem}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    if given.write:
        text = given.write.read_text()
        figures = f"<!-- figures: {given.seconds:g} -->\n" + "\n".join(lines) + "<!-- end -->"
        write_whole(given.write, re.sub(r"<!-- figures.*<!-- end -->", lambda _: figures, text, flags=re.S).encode())


def measure(task: Task) -> Result:
    """Default and tuned quality of one model on one table, on one thread."""
    check_optuna()
    card, data = read(task.path, task.target)
    fields = list(card.inputs.values())
    deadline = time.process_time() + task.seconds
    with limit_threads(0):
        first = try_candidate(COMPARED[task.candidate], data, fields, SEED)
        found = search(first, data, fields, SEED, MOST_RUNS, deadline, clock=time.process_time)
        trials = [first, *found]
    return Result(pair(first), pair(choose(trials)), len(trials))


def pair(trial: Trial) -> tuple[float, float]:
    """AUC and log loss."""
    return trial.auc, trial.log_loss


def read(path: Path, target: str | None) -> tuple[Card, Dataset]:
    """A table with its card, read or inferred."""
    if target is None:
        card = read_card(path)
        return card, encode(read_table(path.parent / card.dataset.path), card)
    table = read_table(path)
    card = infer_card(table, target, None, None)
    return card, encode(table, card)


def format_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Headings, a rule, and a row a model."""
    rows = [HEADINGS, ("---",) + ("---:",) * (len(HEADINGS) - 1)]
    for (name, candidate), result in zip(COMPARED.items(), results, strict=True):
        title = f"**{candidate.title}** (ours)" if name in OURS else candidate.title
        figures = [f"{figure:.4f}" for figure in (*result.default, *result.tuned)]
        rows.append((title, *figures, str(result.runs)))
    return rows


def show(console: Console, title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print the rows as a table."""
    table = Table(title=f"{title}, {FOLDS}-fold")
    for heading in rows[0]:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for row in rows[2:]:
        table.add_row(*(cell.replace("*", "") for cell in row))
    console.print(table)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--taiwan", type=Path, metavar="FILE", help="the UCI table of 30,000 clients, as CSV")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the processor, a model and table; default: 60")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the marks of a document")
    return parser.parse_args()


if __name__ == "__main__":
    main()
