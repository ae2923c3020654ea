"""Everything that the report says about a model, measured once for all documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.bins import name_bins
from model.contract import Contract
from model.estimates import CONFIDENCE
from model.session import Model
from train.bins import bin_numbers
from train.card import Card
from train.correction import Correction
from train.leakage import FieldStrength
from train.proof import Proof
from train.rejects.measure import Rejects
from train.report.effects import Direction, FieldEffect, check_directions, measure_effects
from train.report.fairness import Fairness, measure_fairness
from train.report.out_of_sample import OutOfSample
from train.report.over_time import Period, measure_periods
from train.report.samples import IN_TIME, Sample, measure_samples
from train.report.segments import Segment, measure_segments
from train.report.stability import PROBABILITY, Shift, compare_counts, count_weighted, measure_shift, measure_shifts
from train.summary import Entry, name_folds
from train.weights import select
from train.windows import Window

ROLES = {
    "target": "Target",
    "id": "Id of the application.",
    "time": "Time of application.",
    "weight": "Weight: how many applicants a row stands for.",
    "group": "Group: its rows are never both fitted and measured on.",
    "accepted": "Who was accepted: only they are fitted and measured on.",
}
"""Role of a column that is no field → what the documents say of it."""


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What is known of a model only where it is trained.

    candidates: the best trial of each. proof: of the exported file. strengths: how well each input alone tells the
    outcome. left_out: column of the table → why it is no input. windows: the model of the newest training rows alone;
    none without times. correction: the line that is part of the model. rows_left_out: older applications of groups
    that are in the hold-out, in neither part. rejects: what the rejected applicants of the table leave open.
    """

    candidates: tuple[Entry, ...]
    proof: Proof
    strengths: tuple[FieldStrength, ...]
    left_out: Mapping[str, str]
    windows: tuple[Window, ...] = ()
    correction: Correction | None = None
    rows_left_out: int = 0
    rejects: Rejects | None = None


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """What is known of new applications only: the SHA-256 of their table, and whether a card was given."""

    data_sha256: str
    has_card: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """The measurements of one model.

    samples: the populations that quality, calibration and costs are measured on; the last of them decides whether the
    model may be used. fairness is measured on all applications. shifts compare the hold-out, or new applications, with
    the training rows. segments: of the fields with segment = true. periods: none without times. trained: None for a
    model that is evaluated on new applications; evaluated: None otherwise.
    """

    card: Card
    contract: Contract
    sha256: str
    n_bytes: int
    out_of_sample: OutOfSample
    samples: tuple[Sample, ...]
    fairness: tuple[Fairness, ...]
    effects: tuple[FieldEffect, ...]
    directions: tuple[Direction, ...]
    shifts: tuple[Shift, ...]
    segments: tuple[Segment, ...] = ()
    periods: tuple[Period, ...] = ()
    trained: TrainingRecord | None = None
    evaluated: EvaluationRecord | None = None

    @property
    def has_card(self) -> bool:
        """Whether people have said in a card what the fields are; an evaluation may have none."""
        return self.evaluated is None or self.evaluated.has_card

    @property
    def folds(self) -> str:
        """The folds that settings and models are chosen on; '' for a model that is evaluated on new applications."""
        is_forward = bool(self.contract.training.time)
        return name_folds(self.trained.candidates[0].trial, is_forward) if self.trained else ""

    @property
    def other_columns(self) -> dict[str, str]:
        """Each column that is no input → its role, or why it is left out; '' stands for columns without a name."""
        dataset = self.card.dataset
        roles = {column: ROLES[role] for role, column in dataset.roles.items()}
        roles[dataset.target] += f": {dataset.default} means default."
        dates = {
            column: f"{end} of {field.label}."
            for field in self.card.inputs.values()
            for end, column in (("Start", field.start), ("End", field.end))
            if column is not None
        }
        return dates | roles | dict(self.trained.left_out if self.trained else {})

    @property
    def gate(self) -> Sample:
        """The population that decides whether the model may be used: the hold-out, which is out of time with times."""
        return self.samples[-1]

    @property
    def segment_confidence(self) -> float:
        """Confidence of the ratio of each group, so that of all of them together one is off by chance in 5%."""
        compared = sum(
            figures is not None for segment in self.segments for group in segment.groups for figures in group.figures
        )
        return _confidence_of_each(compared)

    @property
    def fairness_confidence(self) -> float:
        """As segment_confidence, of the groups of all protected fields."""
        return _confidence_of_each(sum(len(field.groups) for field in self.fairness))

    @property
    def in_time(self) -> Sample | None:
        """The population of the same period as the training rows; None without times."""
        return self.samples[0] if self.samples[0].title == IN_TIME else None

    @property
    def main(self) -> Sample:
        """The population that is plotted: out of time, or all applications."""
        return self.samples[0] if self.in_time is None else self.gate


def _confidence_of_each(compared: int) -> float:
    """Bonferroni's."""
    return 1 - (1 - CONFIDENCE) / max(compared, 1)


def collect_findings(
    model: Model,
    n_bytes: int,
    card: Card,
    sample: OutOfSample,
    trained: TrainingRecord | None = None,
    evaluated: EvaluationRecord | None = None,
) -> Findings:
    """Measure a model whose file has `n_bytes` bytes; random draws use the seed of its training.

    `sample`: if all its rows are held out, they are new applications.
    """
    contract, seed = model.contract, model.contract.training.seed
    return Findings(
        card=card,
        contract=contract,
        sha256=model.sha256,
        n_bytes=n_bytes,
        out_of_sample=sample,
        samples=measure_samples(sample, contract.policy, seed),
        fairness=measure_fairness(sample, card.fields, contract.policy, seed),
        effects=measure_effects(model, sample.X, seed, sample.weight),
        directions=check_directions(model, sample.X, card.fields, seed),
        shifts=_measure_shifts(model, sample),
        segments=measure_segments(sample, card.fields, contract.policy),
        periods=measure_periods(sample),
        trained=trained,
        evaluated=evaluated,
    )


def _measure_shifts(model: Model, sample: OutOfSample) -> tuple[Shift, ...]:
    """The shift of the probability and of each field; none for a file without reference bins.

    Probabilities of the training rows are out of sample, but those of a scorecard are its own: it has few totals of
    points, which scorecards of other rows don't share, and too few parameters to fit its training rows closely.
    """
    contract = model.contract
    if not contract.bins:
        return ()
    compared = len(contract.fields) + 1
    held, older = sample.holdout_rows, np.delete(np.arange(len(sample.y)), sample.holdout_rows)
    weight, holdout = select(sample.weight, held), sample.probability[held]
    shifts = measure_shifts(contract.fields, contract.bins, sample.X[held], weight)
    if len(older):
        is_own = contract.scorecard is not None
        training = model.score(sample.X[older]).probability if is_own else sample.probability[older]
        earlier = select(sample.weight, older)
        bins = bin_numbers(training, earlier)
        before, after = count_weighted(training, bins, earlier), count_weighted(holdout, bins, weight)
        return compare_counts(PROBABILITY, name_bins(bins), before, after, compared), *shifts
    if contract.probability_bins is None:
        return tuple(shifts)
    return measure_shift(PROBABILITY, contract.probability_bins, holdout, None, compared, weight), *shifts
