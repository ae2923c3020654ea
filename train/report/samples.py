"""The populations that a model is measured on, each with the same figures.

With a random hold-out: all applications, and the hold-out. With times: in time, applications of the period that the
model was trained on, by models that hadn't seen them; and out of time, the newest, by the model itself. New
applications, of a table that the model wasn't trained on, are one population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.estimates import Estimate, auc
from model.formatting import format_count
from model.policy import Policy
from train.dataset import Matrix
from train.judged import Judged, judge
from train.quality import Quality, measure
from train.report.calibration import Calibration, measure_calibration
from train.report.costs import Costs, measure_costs
from train.report.out_of_sample import OutOfSample
from train.report.profit import Profit, measure_profit
from train.report.rule_figures import RuleFigures, measure_rules
from train.target import Labels
from train.time_formats import format_day
from train.weights import select, weighted_mean

ALL, HOLDOUT, IN_TIME, OUT_OF_TIME, NEW = (
    "All applications",
    "Hold-out",
    "In time",
    "Out of time",
    "New applications",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Applications with outcomes, their predictions, and what is measured on them.

    sentence: what they are. y: int64, shape (n,), 1 = default. probability: float64, (n,). weight: float64, (n,), None
    if all count the same. profit: of a policy in money, None otherwise. rules: in the order of the policy.
    """

    title: str
    sentence: str
    y: Labels
    probability: Matrix
    weight: Matrix | None
    quality: Quality
    auc: Estimate
    calibration: Calibration
    costs: Costs
    profit: Profit | None
    rules: tuple[RuleFigures, ...]

    @property
    def count(self) -> int:
        """Number of applications."""
        return len(self.y)

    @property
    def default_rate(self) -> float:
        """Observed share of defaults."""
        return weighted_mean(self.y, self.weight)


def measure_samples(sample: OutOfSample, policy: Policy, seed: int) -> tuple[Sample, ...]:
    """Measure each population; the last is the one that decides whether the model may be used."""
    total, held = len(sample.y), sample.holdout_rows
    every, older = np.arange(total), np.delete(np.arange(total), held)
    new, rest = format_count(len(held)), format_count(len(older))
    if not len(older):
        parts = [(NEW, f"{new} applications with outcomes that the model hasn't seen.", every)]
    elif sample.time is None:
        parts = [
            (
                ALL,
                f"The {new} hold-out applications, predicted by this model, and the {rest} training applications, "
                f"predicted by cross-validation with {sample.folds} folds and the same settings.",
                every,
            ),
            (HOLDOUT, f"{new} random applications that the model hasn't seen.", held),
        ]
    else:
        since = format_day(int(sample.time[held].min()))
        parts = [
            (
                IN_TIME,
                f"The {rest} training applications, before {since}, predicted by cross-validation with {sample.folds} "
                "random folds and the same settings.",
                older,
            ),
            (OUT_OF_TIME, f"The newest {new} applications, since {since}, predicted by this model.", held),
        ]
    judged = judge(policy, sample.probability, sample.X)
    return tuple(_measure(title, sentence, sample, rows, judged.take(rows), seed) for title, sentence, rows in parts)


def _measure(
    title: str, sentence: str, sample: OutOfSample, rows: npt.NDArray[np.int64], judged: Judged, seed: int
) -> Sample:
    y, probability = sample.y[rows], sample.probability[rows]
    weight = select(sample.weight, rows)
    judged.expect_known(f"the {len(rows):,} applications ({title.lower()})")
    return Sample(
        title=title,
        sentence=sentence,
        y=y,
        probability=probability,
        weight=weight,
        quality=measure(y, probability, judged, weight),
        auc=auc(y, probability, weight),
        calibration=measure_calibration(y, probability, seed, weight),
        costs=measure_costs(y, probability, judged, seed, weight),
        profit=measure_profit(y, probability, sample.X[rows], judged, weight),
        rules=measure_rules(y, probability, sample.X[rows], judged, weight),
    )
