"""The best trial of each candidate: its default settings, or better ones found by its race or by `--search`.

Every candidate is tried first, by a race (race.py) or with its default settings; then the candidates take turns in the
search. The time limit ends both, Ctrl-C once ends the search, and training goes on with the best settings so far.
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
from train.cross_validation import Trial, best_trial, cross_validate
from train.dataset import Dataset
from train.race import Race, Racer
from train.search import search

RACE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class SearchBudget:
    """`trials`: number per candidate, the first included; `seconds`: for races and search together.

    Without a number of seconds races end after RACE_SECONDS, and the search has no limit.
    """

    trials: int = 1
    seconds: float | None = None


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
    started = time.monotonic()
    limit = RACE_SECONDS if budget.seconds is None else budget.seconds
    deadline = math.inf if budget.seconds is None else started + budget.seconds
    found: dict[str, list[Trial]] = {}
    with _progress(console) as progress:
        task = progress.add_task("", total=None)

        def advance() -> None:
            progress.advance(task)

        def is_over() -> bool:
            return time.monotonic() >= started + limit

        for candidate in candidates:
            progress.update(task, description=candidate.title)
            if candidate.race:
                race = Racer(candidate, data, fields, seed, record, advance, is_over).run()
                found[candidate.name] = [race.chosen]
                console.print(_tell(race, limit), soft_wrap=True)
            else:
                found[candidate.name] = [cross_validate(candidate, data, fields, seed, advance)]
                record(found[candidate.name][0])
        progress.reset(task, total=(budget.trials - 1) * sum(len(one[0].folds) for one in found.values()))
        try:
            searches = [
                search(one[0], data, fields, seed, budget.trials - 1, deadline, advance) for one in found.values()
            ]
            for _ in range(budget.trials - 1):
                for candidate, one in zip(candidates, searches, strict=True):
                    progress.update(task, description=_describe(found[candidate.name]))
                    for trial in islice(one, 1):
                        found[candidate.name].append(trial)
                        record(trial)
        except KeyboardInterrupt:
            console.print("Interrupted: the search ends here and training goes on; Ctrl-C again stops training")
    if budget.trials > 1:
        for trials in found.values():
            best = best_trial(trials)
            console.print(
                f"{best.candidate.title}: log loss {trials[0].log_loss:.4f} without a search, "
                f"{best.log_loss:.4f} with the best of {len(trials)} trials: {_list(best.settings)}"
            )
    return [best_trial(trials) for trials in found.values()]


def _describe(trials: list[Trial]) -> str:
    return f"{trials[0].candidate.title}, best {best_trial(trials).log_loss:.4f}"


def _tell(race: Race, limit: float) -> str:
    chosen, tried = race.chosen, len(race.trials)
    seconds = sum(trial.seconds for trial in race.trials)
    end = f"the time limit of {limit:g} s ended it; best so far" if race.is_cut_short else f"limit {limit:g} s; best"
    return (
        f"{chosen.candidate.title}: a race of {tried} settings, {race.fits} fits in {seconds:.0f} s, {end}: log loss "
        f"{chosen.log_loss:.4f} with {_list(chosen.settings)}"
    )


def _list(settings: Hyperparameters) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in settings.items())


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<36}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)
