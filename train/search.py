"""`--search`: tuning of a candidate by Optuna, on the same folds, starting from the settings of its first trial.

The same data, seed and number of trials give the same trials. The search spaces are in candidates.py. Optuna is
optional and imported only here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from train.candidates import Hyperparameters, Span
from train.card import CardField
from train.cross_validation import Trial, cross_validate
from train.dataset import Dataset
from train.errors import import_optional

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


class OutOfTime(Exception):
    """The deadline passed during a trial."""


def check_optuna() -> None:
    """Raise TrainingError, naming what to install, if Optuna is absent."""
    optuna = import_optional("optuna", "requirements/search.txt")
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def search(
    first: Trial,
    data: Dataset,
    fields: list[CardField],
    seed: int,
    n_trials: int,
    deadline: float = math.inf,
    on_fold: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Trial]:
    """Yield up to `n_trials` further trials of the candidate of `first`, on the same folds, each when it is finished.

    Settings that aren't searched stay as they are in `first`.

    The search ends when `clock` reaches `deadline`; it is checked after each fold, and an unfinished trial is dropped.
    """
    if n_trials < 1:
        return
    import optuna

    def check_deadline() -> None:
        on_fold()
        if clock() >= deadline:
            raise OutOfTime

    space = {name: distribution(span) for name, span in first.candidate.space.items()}
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    known: Hyperparameters = {name: first.candidate.space[name].clip(first.settings[name]) for name in space}
    study.add_trial(optuna.trial.create_trial(params=known, distributions=space, value=first.log_loss))
    for _ in range(n_trials):
        if clock() >= deadline:
            return
        asked = study.ask(space)
        try:
            trial = cross_validate(first.candidate, data, fields, seed, check_deadline, first.settings | asked.params)
        except OutOfTime:
            return
        study.tell(asked, trial.log_loss)
        yield trial


def distribution(span: Span) -> BaseDistribution:
    """A span as Optuna's distribution."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(span.low, int) and isinstance(span.high, int):
        return IntDistribution(span.low, span.high, log=span.log)
    return FloatDistribution(span.low, span.high, log=span.log)
