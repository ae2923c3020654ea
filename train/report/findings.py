"""All that is known of a model once it is proven: measured here, once, for every page that tells of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract import Contract
from model.session import Model
from train.bins import bin_numbers, count, name_bins
from train.card import Card
from train.proof import Proof
from train.quality import Quality, measure
from train.report.calibration import Calibration, measure_calibration
from train.report.costs import Costs, measure_costs
from train.report.evidence import Evidence
from train.report.fairness import Fairness, measure_fairness
from train.report.intervals import Estimate, auc
from train.report.shapes import Direction, Shape, check_directions, measure_shapes
from train.report.stability import PROBABILITY, Shift, compare_counts, measure_shifts
from train.summary import Entry


@dataclass(frozen=True, slots=True)
class Findings:
    """What was measured of one model.

    quality, auc, calibration, costs and fairness are of all applications, each judged by a model that hadn't seen
    it; holdout_auc and holdout of those held out alone, by the model itself. shifts: those held out beside the rest.
    """

    card: Card
    contract: Contract
    sha256: str
    size: int
    evidence: Evidence
    entries: tuple[Entry, ...]
    proof: Proof
    quality: Quality
    auc: Estimate
    holdout_auc: Estimate
    calibration: Calibration
    holdout: Calibration
    costs: Costs
    fairness: tuple[Fairness, ...]
    shapes: tuple[Shape, ...]
    directions: tuple[Direction, ...]
    shifts: tuple[Shift, ...]

    @property
    def default_rate(self) -> float:
        """Of all applications."""
        return float(self.evidence.y.mean())


def find(model: Model, size: int, card: Card, evidence: Evidence, entries: tuple[Entry, ...], proof: Proof) -> Findings:
    """Measure a proven model of `size` bytes on the evidence; seeded as its training was."""
    contract, seed = model.contract, model.contract.training.seed
    y, probability = evidence.y, evidence.probability
    held = evidence.holdout
    return Findings(
        card=card,
        contract=contract,
        sha256=model.sha256,
        size=size,
        evidence=evidence,
        entries=entries,
        proof=proof,
        quality=measure(y, probability, contract.policy),
        auc=auc(y, probability),
        holdout_auc=auc(y[held], probability[held]),
        calibration=measure_calibration(y, probability, seed),
        holdout=measure_calibration(y[held], probability[held], seed),
        costs=measure_costs(y, probability, contract.policy, seed),
        fairness=measure_fairness(evidence, card.fields, contract.policy, seed),
        shapes=measure_shapes(model, evidence.X, seed),
        directions=check_directions(model, evidence.X, card.fields, seed),
        shifts=(
            _probability_shift(evidence),
            *measure_shifts(contract.fields, contract.bins, evidence.X[held]),
        ),
    )


def _probability_shift(evidence: Evidence) -> Shift:
    rest = np.delete(evidence.probability, evidence.holdout)
    bins = bin_numbers(rest)
    held = evidence.probability[evidence.holdout]
    return compare_counts(PROBABILITY, name_bins(bins, None), count(rest, bins), count(held, bins))
