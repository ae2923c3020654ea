"""`--search`: better settings for a candidate, looked for by Optuna on the folds that the default had.

Seeded: the same data, seed and number of runs give the same trials. What is searched stands in
train/candidates.py; Optuna is imported only here, and only when somebody searches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from train.candidates import Settings, Span
from train.card import CardField
from train.choose import Trial, try_candidate
from train.dataset import Dataset
from train.errors import TrainingError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Observe = Callable[[], None]


class OutOfTime(Exception):
    """The deadline passed while a trial was under way."""


def check_optuna() -> None:
    """Raise TrainingError, saying what to install, if nothing can be searched."""
    try:
        import optuna
    except ImportError as error:
        raise TrainingError(
            "optuna isn't installed; install it with: python -m pip install -r requirements-search.txt"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def search(
    first: Trial,
    data: Dataset,
    fields: list[CardField],
    seed: int,
    runs: int,
    deadline: float = math.inf,
    on_fold: Observe = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Trial]:
    """Up to `runs` more trials of the candidate of `first`, each on the folds of `first`, as they are finished.

    `deadline`: what `clock` must not reach; looked at after each fold, and a trial under way is dropped.
    """
    if runs < 1:
        return
    import optuna

    def watch() -> None:
        on_fold()
        if clock() >= deadline:
            raise OutOfTime

    space = {name: distribution(span) for name, span in first.candidate.space.items()}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    known: Settings = {name: first.settings[name] for name in space}
    study.add_trial(optuna.trial.create_trial(params=known, distributions=space, value=first.log_loss))
    for _ in range(runs):
        if clock() >= deadline:
            return
        asked = study.ask(space)
        try:
            trial = try_candidate(first.candidate, data, fields, seed, watch, asked.params)
        except OutOfTime:
            return
        study.tell(asked, trial.log_loss)
        yield trial


def distribution(span: Span) -> BaseDistribution:
    """A span in Optuna's words."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(span.low, int) and isinstance(span.high, int):
        return IntDistribution(span.low, span.high, log=span.log)
    return FloatDistribution(span.low, span.high, log=span.log)
