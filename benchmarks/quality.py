"""`make bench-quality`: AUC and log loss of our models and of others, on the same folds, with equal search time.

Five-fold cross-validation of each model's default settings and of the best settings that Optuna finds in a given CPU
time; of a peer, which runs in an environment of its own, of the default ones alone. Tuned figures are those of the
folds that the settings were chosen on, slightly optimistic for every model alike. Prints a table; --write puts it into
docs/quality.md.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table

from benchmarks.competitors import COMPETITORS
from benchmarks.quality_peers.running import PEERS, PeerTrial, cross_validate_peer
from train.candidates import CANDIDATES
from train.card import Card, read_card
from train.card_inference import Choices, infer_card
from train.cross_validation import Trial, best_trial, cross_validate
from train.dataset import Dataset, encode_table
from train.files import write_whole
from train.folds import FOLDS
from train.race import Racer
from train.search import check_optuna, search
from train.table import read_table
from train.threads import limit_threads

CREDIT_CARD = Path(__file__).resolve().parent.parent / "data" / "credit_data.toml"
PAIRS = 10
SCORECARD = CANDIDATES["scorecard"]
WITH_PAIRS = replace(
    SCORECARD,
    name="scorecard-pairs",
    title=f"{SCORECARD.title}, {PAIRS} pairs",
    settings=SCORECARD.settings | {"pairs": PAIRS},
)
OURS = {one.name: one for one in (*CANDIDATES.values(), WITH_PAIRS) if not one.is_optional}
CANDIDATES_COMPARED = OURS | {one.name: one for one in COMPETITORS}
PEERS_COMPARED = {peer.name: peer for peer in PEERS}
TITLES = {name: one.title for name, one in (CANDIDATES_COMPARED | PEERS_COMPARED).items()}
MAX_RUNS = 10_000
SEED = 0
HEADINGS = ("", "default AUC", "default log loss", "CPU seconds a fit", "tuned AUC", "tuned log loss", "runs")


@dataclass(frozen=True, slots=True)
class Task:
    """One model on one table; `path` is a dataset card, or a table if there is a `target` to infer a card for."""

    path: Path
    target: str | None
    candidate: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """AUC and log loss with default and with tuned settings, CPU seconds of a default fit, and the settings tried."""

    default: tuple[float, float]
    seconds: float
    tuned: tuple[float, float] | None = None
    runs: int = 1


def main() -> None:
    """Measure every model on every table, one process a core."""
    arguments = parse_arguments()
    tables: list[tuple[Path, str | None]] = [(CREDIT_CARD, None)]
    if arguments.taiwan:
        tables.append((arguments.taiwan, "default"))
    tasks = [Task(path, target, name, arguments.seconds) for path, target in tables for name in TITLES]
    console = Console()
    for peer in PEERS:
        peer.install()
    results = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for task, result in zip(tasks, pool.map(measure, tasks), strict=True):
            results.append(result)
            console.print(f"{task.path.stem}, {TITLES[task.candidate]}: {result}", soft_wrap=True)
    lines = []
    for index, (path, _) in enumerate(tables):
        rows = format_rows(results[index * len(TITLES) : (index + 1) * len(TITLES)])
        print_table(console, path.stem, rows)
        lines += [f"### {path.stem}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    if arguments.write:
        text = arguments.write.read_text()
        figures = f"<!-- figures: {arguments.seconds:g} -->\n" + "\n".join(lines) + "<!-- end -->"
        write_whole(
            arguments.write, re.sub(r"<!-- figures.*<!-- end -->", lambda _: figures, text, flags=re.S).encode()
        )


def measure(task: Task) -> Result:
    """Cross-validate one model on one table, with default or raced and with tuned settings, on one thread."""
    check_optuna()
    card, data = read(task.path, task.target)
    fields = list(card.inputs.values())
    if task.candidate in PEERS_COMPARED:
        names = list(card.inputs)
        answer = cross_validate_peer(PEERS_COMPARED[task.candidate], data, fields, names, SEED)
        return Result(metrics_of(answer), answer.seconds / FOLDS)
    deadline = time.process_time() + task.seconds
    compared = CANDIDATES_COMPARED[task.candidate]
    candidate = compared.with_card(card)
    candidate = replace(candidate, settings=candidate.settings | compared.settings)
    with limit_threads(0):
        is_raced = task.candidate in OURS and candidate.race
        settings = Racer(candidate, data, fields, SEED).run().chosen.settings if is_raced else None
        began = time.process_time()
        first = cross_validate(candidate, data, fields, SEED, settings=settings)
        seconds = (time.process_time() - began) / FOLDS
        found = search(first, data, fields, SEED, MAX_RUNS, deadline, clock=time.process_time)
        trials = [first, *found]
    return Result(metrics_of(first), seconds, metrics_of(best_trial(trials)), len(trials))


def metrics_of(trial: Trial | PeerTrial) -> tuple[float, float]:
    """AUC and log loss of a trial, means over the folds."""
    return mean(fold.auc for fold in trial.folds), mean(fold.log_loss for fold in trial.folds)


def read(path: Path, target: str | None) -> tuple[Card, Dataset]:
    """Read a table with its card, or infer the card."""
    if target is None:
        card = read_card(path)
        return card, encode_table(read_table(path.parent / card.dataset.path), card)
    table = read_table(path)
    # Every field, protected ones too: what is compared is the quality of models on the same columns.
    card = infer_card(table, Choices(target, allowed=frozenset(table.names)))
    return card, encode_table(table, card)


def format_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The rows of a Markdown table: headings, alignment, one row for each model."""
    rows = [HEADINGS, ("---",) + ("---:",) * (len(HEADINGS) - 1)]
    for (name, title), result in zip(TITLES.items(), results, strict=True):
        title = f"**{title}** (ours)" if name in OURS else title
        default = [f"{figure:.4f}" for figure in result.default]
        tuned = [f"{figure:.4f}" for figure in result.tuned] if result.tuned else ["–", "–"]
        rows.append((title, *default, f"{result.seconds:.2f}", *tuned, str(result.runs)))
    return rows


def print_table(console: Console, title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print the rows as a table."""
    table = Table(title=f"{title}, {FOLDS}-fold")
    for heading in rows[0]:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for row in rows[2:]:
        table.add_row(*(cell.replace("*", "") for cell in row))
    console.print(table)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--taiwan", type=Path, metavar="FILE", help="also use the UCI table of 30,000 clients, as CSV")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="CPU time of the search, for each model and table; default: 60"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the tables between the markers of this document"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
