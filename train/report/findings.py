"""Everything that the report says about a model, measured once for all documents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.bins import count_values, name_bins
from model.contract import Contract
from model.estimates import Estimate, auc
from model.session import Model
from train.bins import bin_numbers
from train.card import Card
from train.leakage import FieldStrength
from train.proof import Proof
from train.quality import Quality, measure
from train.report.calibration import Calibration, measure_calibration
from train.report.costs import Costs, measure_costs
from train.report.effects import Direction, FieldEffect, check_directions, measure_effects
from train.report.fairness import Fairness, measure_fairness
from train.report.out_of_sample import OutOfSample
from train.report.stability import PROBABILITY, Shift, compare_counts, measure_shifts
from train.summary import Entry


@dataclass(frozen=True, slots=True)
class Findings:
    """The measurements of one model.

    quality, auc, calibration, costs and fairness are measured on the out-of-sample predictions of all applications;
    holdout_auc and holdout_calibration on the hold-out alone. shifts compare the hold-out with the training rows.
    strengths: how well each input alone tells the outcome. left_out: column of the table → why it is no input.
    """

    card: Card
    contract: Contract
    sha256: str
    n_bytes: int
    out_of_sample: OutOfSample
    candidates: tuple[Entry, ...]
    proof: Proof
    quality: Quality
    auc: Estimate
    holdout_auc: Estimate
    calibration: Calibration
    holdout_calibration: Calibration
    costs: Costs
    fairness: tuple[Fairness, ...]
    effects: tuple[FieldEffect, ...]
    directions: tuple[Direction, ...]
    shifts: tuple[Shift, ...]
    strengths: tuple[FieldStrength, ...]
    left_out: dict[str, str]

    @property
    def default_rate(self) -> float:
        """Observed default rate of all applications."""
        return float(self.out_of_sample.y.mean())


def collect_findings(
    model: Model,
    n_bytes: int,
    card: Card,
    sample: OutOfSample,
    candidates: tuple[Entry, ...],
    proof: Proof,
    strengths: tuple[FieldStrength, ...],
    left_out: dict[str, str],
) -> Findings:
    """Measure a verified model whose file has `n_bytes` bytes; random draws use the seed of its training."""
    contract, seed = model.contract, model.contract.training.seed
    y, probability = sample.y, sample.probability
    holdout_y, holdout_probability = sample.holdout_predictions
    return Findings(
        card=card,
        contract=contract,
        sha256=model.sha256,
        n_bytes=n_bytes,
        out_of_sample=sample,
        candidates=candidates,
        proof=proof,
        quality=measure(y, probability, contract.policy),
        auc=auc(y, probability),
        holdout_auc=auc(holdout_y, holdout_probability),
        calibration=measure_calibration(y, probability, seed),
        holdout_calibration=measure_calibration(holdout_y, holdout_probability, seed),
        costs=measure_costs(y, probability, contract.policy, seed),
        fairness=measure_fairness(sample, card.fields, contract.policy, seed),
        effects=measure_effects(model, sample.X, seed),
        directions=check_directions(model, sample.X, card.fields, seed),
        shifts=(
            _measure_probability_shift(sample, len(contract.fields) + 1),
            *measure_shifts(contract.fields, contract.bins, sample.X[sample.holdout_rows]),
        ),
        strengths=strengths,
        left_out=left_out,
    )


def _measure_probability_shift(sample: OutOfSample, compared: int) -> Shift:
    training = np.delete(sample.probability, sample.holdout_rows)
    holdout = sample.probability[sample.holdout_rows]
    bins = bin_numbers(training)
    before, after = count_values(training, bins), count_values(holdout, bins)
    return compare_counts(PROBABILITY, name_bins(bins), before, after, compared)
