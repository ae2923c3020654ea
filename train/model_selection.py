"""The best trial of each candidate: its default settings, or better ones found by `--search`.

The default settings of every candidate are always tried first; then the candidates take turns. The time limit, or
Ctrl-C once, ends the search, and training goes on with the best settings so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from train.candidates import Candidate, Hyperparameters
from train.card import CardField
from train.cross_validation import FOLDS, Trial, best_trial, cross_validate
from train.dataset import Dataset
from train.search import search


@dataclass(frozen=True, slots=True)
class SearchBudget:
    """`trials`: number per candidate, the default settings included; `seconds`: for all candidates together."""

    trials: int = 1
    seconds: float = math.inf


def tune_candidates(
    candidates: list[Candidate],
    data: Dataset,
    fields: list[CardField],
    seed: int,
    budget: SearchBudget,
    record: Callable[[Trial], None],
    console: Console,
) -> list[Trial]:
    """The best trial of each candidate, in their order, all on the same folds; `record` gets each finished trial."""
    deadline = time.monotonic() + budget.seconds
    found: dict[str, list[Trial]] = {}
    with _progress(console) as progress:
        task = progress.add_task("", total=len(candidates) * budget.trials * FOLDS)

        def advance() -> None:
            progress.advance(task)

        def keep(trial: Trial) -> None:
            found.setdefault(trial.candidate.name, []).append(trial)
            record(trial)

        for candidate in candidates:
            progress.update(task, description=candidate.title)
            keep(cross_validate(candidate, data, fields, seed, advance))
        try:
            searches = [
                search(one[0], data, fields, seed, budget.trials - 1, deadline, advance) for one in found.values()
            ]
            for _ in range(budget.trials - 1):
                for candidate, one in zip(candidates, searches, strict=True):
                    progress.update(task, description=_describe(found[candidate.name]))
                    for trial in islice(one, 1):
                        keep(trial)
        except KeyboardInterrupt:
            console.print("Interrupted: the search ends here and training goes on; Ctrl-C again stops training")
    if budget.trials > 1:
        for trials in found.values():
            best = best_trial(trials)
            console.print(
                f"{best.candidate.title}: log loss {trials[0].log_loss:.4f} with default settings, "
                f"{best.log_loss:.4f} with the best of {len(trials)} trials: {_list(best.settings)}"
            )
    return [best_trial(trials) for trials in found.values()]


def _describe(trials: list[Trial]) -> str:
    return f"{trials[0].candidate.title}, best {best_trial(trials).log_loss:.4f}"


def _list(settings: Hyperparameters) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in settings.items())


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
