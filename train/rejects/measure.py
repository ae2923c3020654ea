"""Everything that the report says of the rejected, measured beside a model of the accepted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.session import Model
from train.card import Card
from train.choice import Choice
from train.correction import CorrectedClassifier
from train.dataset import Dataset
from train.fitting import fit
from train.judged import judge
from train.rejects.bounds import Bounds, measure_bounds
from train.rejects.door import Group
from train.rejects.overlap import Chances, Overlap, measure_chances, measure_overlap
from train.rejects.sensitivity import Known, Variant, measure_sensitivity
from train.report.intervals import share_of


@dataclass(frozen=True, slots=True)
class Rejects:
    """accepted, rejected: numbers of rows. share: of the accepted, weighted. default_rate: of the accepted."""

    accepted: int
    rejected: int
    share: float
    default_rate: float
    chances: Chances
    overlap: Overlap
    bounds: Bounds
    variants: tuple[Variant, ...]


def measure_rejects(theirs: Group, card: Card, model: Model, choice: Choice, seed: int) -> Rejects:
    """Measure the rejected of the table that a model was trained on; `model`: the exported file.

    Fits the settings of the choice on other rows too, which changes nothing of the model.
    """
    sample, policy, fields = choice.sample, model.contract.policy, list(card.inputs.values())
    ours = Group(sample.X, np.ones(len(sample.y)) if sample.weight is None else sample.weight)
    probability = model.score(theirs.X).probability
    chances = measure_chances(ours, theirs, fields, seed)
    is_held = np.isin(np.arange(ours.count), sample.holdout_rows)

    def build(data: Dataset) -> CorrectedClassifier | object:
        fitted = fit(choice.trial.candidate.build(fields, seed, choice.trial.settings), data)
        return fitted if choice.correction is None else CorrectedClassifier(fitted, *choice.correction.line)

    return Rejects(
        accepted=ours.count,
        rejected=theirs.count,
        share=chances.share,
        default_rate=share_of(sample.y == 1, sample.weight).value,
        chances=chances,
        overlap=measure_overlap(ours, theirs, chances, model.contract.fields, sample.y, probability),
        bounds=measure_bounds(
            ours,
            theirs,
            sample.y,
            probability,
            judge(policy, sample.probability, sample.X),
            judge(policy, probability, theirs.X),
        ),
        variants=measure_sensitivity(
            Known(ours, theirs, chances, sample.y, sample.probability, probability, is_held), build, policy, seed
        ),
    )
