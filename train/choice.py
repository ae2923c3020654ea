"""The choice among the best trials of the candidates, fitted on all training rows and corrected if need be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from model.policy import Policy
from train.card import CardField
from train.correction import Correction, correct, correct_across_folds, fit_correction
from train.cross_validation import Trial, best_trial
from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.folds import make_random_folds
from train.holdout import Partition
from train.judged import judge
from train.quality import Quality, measure
from train.report.out_of_sample import OutOfSample, make_sample, predict_across_folds
from train.summary import Entry


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen trial, its fitted pipeline, and the model: the pipeline, corrected if its probabilities ask for it.

    `entries`: the best trial of each candidate with its hold-out quality. `quality`: of the model on the hold-out.
    `sample`: its out-of-sample predictions. `correction`: the line that is part of the model, or None.
    """

    trial: Trial
    pipeline: Pipeline
    model: Any
    entries: tuple[Entry, ...]
    quality: Quality
    sample: OutOfSample
    correction: Correction | None


def choose(
    trials: Sequence[Trial],
    data: Dataset,
    partition: Partition,
    fields: list[CardField],
    policy: Policy,
    protected: Mapping[str, Matrix],
    segments: Mapping[str, Matrix],
    seed: int,
) -> Choice:
    """Fit the best trial of each candidate on the training rows, measure it on the hold-out, choose by the folds."""
    training, holdout = data.take(partition.training_rows), data.take(partition.holdout_rows)
    models: list[Any] = [fit(trial.candidate.build(fields, seed, trial.settings), training) for trial in trials]
    chosen = best_trial(trials)
    place = list(trials).index(chosen)
    pipeline = models[place]

    folds = make_random_folds(training, seed)
    # Without times the trial has measured every row, on the same folds.
    is_measured = data.time is None and bool(np.isfinite(chosen.probability).all())
    out_of_fold = chosen.probability if is_measured else predict_across_folds(pipeline, training, folds)
    correction = fit_correction(training, out_of_fold)
    if correction is not None:
        models[place] = correct(pipeline, correction.line)
        out_of_fold = correct_across_folds(training, out_of_fold, folds)

    entries = tuple(
        Entry(trial, measure(holdout.y, probability, judge(policy, probability, holdout.X), holdout.weight))
        for trial, model in zip(trials, models, strict=True)
        for probability in [model.predict_proba(holdout.X)[:, 1]]
    )
    sample = make_sample(models[place], out_of_fold, data, partition, protected, segments, len(folds))
    return Choice(chosen, pipeline, models[place], entries, entries[place].quality, sample, correction)
