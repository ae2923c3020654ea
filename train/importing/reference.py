"""What a table of applicants tells of an imported model: acceptance rate, and with outcomes its calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from train.card import CardValue
from train.dataset import Matrix
from train.errors import TrainingError, shorten
from train.fitted.model import FittedModel
from train.importing.ranges import Range
from train.judged import Judged
from train.quality import measure
from train.report.calibration import measure_calibration
from train.table import Table
from train.target import encode_target, infer_default, is_same


def read_names(table: Table, width: int, others: Sequence[str | None]) -> tuple[str, ...]:
    """The names of a table's columns for a model whose columns have none, without those of `others`, in order.

    Raises TrainingError if they aren't as many as the model takes.
    """
    names = tuple(name for name in table.names if name not in others)
    if len(names) != width:
        raise TrainingError(
            f"the model takes {width} columns without names, {table.path} has {len(names)}: {shorten(names, 12)}; "
            "give a table with the model's columns in its order, and beside them only the one named by --target"
        )
    return names


def center_applicant(described: FittedModel, ranges: Sequence[Range]) -> Matrix | None:
    """The mean applicant that scalers or imputers remember, float64, shape (1, n_fields); None if they don't.

    For a linear model this reference gives the same contributions as the whole population it is the mean of.
    """
    cells = []
    for one, known in zip(described.inputs, ranges, strict=True):
        if known.center is None or (one.levels and known.center not in one.levels):
            return None
        cells.append(float(one.levels.index(known.center) if one.levels else known.center))
    return np.array([cells])


def show_acceptance(table: Table, judged: Judged) -> str:
    """The share that the rule accepts, refuses, and reviews if it does."""
    policy = judged.policy
    shares = np.bincount(judged.decision, minlength=3) / len(judged.decision)
    review = f", {shares[1]:.1%} are reviewed" if shares[1] or policy.review_from < policy.refuse_from else ""
    return (
        f"Of the {len(judged.decision):,} applicants of {table.path.name} {shares[0]:.1%} are accepted{review}, "
        f"{shares[2]:.1%} refused"
    )


def show_calibration(
    table: Table, target: str, default: CardValue, probability: Matrix, judged: Judged, seed: int
) -> Iterator[str]:
    """Discrimination and calibration on the outcomes in a table; `default`: the model's class that means default."""
    values = [value for value in table.texts(target, "named by --target").unique() if value != ""]
    stated = default if any(is_same(str(value), default) for value in values) else infer_default(table, target)
    y = encode_target(table, target, stated)
    quality, calibration = measure(y, probability, judged), measure_calibration(y, probability, seed)
    yield (
        f"With {target} = {stated} as default: AUC {quality.auc:.3f}, default rate {y.mean():.1%}, mean probability "
        f"{probability.mean():.1%}, calibration error {calibration.error:.3f} "
        f"(noise alone {calibration.noise_error:.3f})"
    )
    yield "  mean probability  default rate  applicants"
    for one in calibration.bins:
        yield f"  {one.mean_probability:>16.1%}  {one.default_rate.value:>12.1%}  {one.count:>10,}"
    if calibration.is_miscalibrated:
        yield (
            f"note: the mean probability is {calibration.ratio.value:.2f} times the default rate, so that the "
            "probabilities are no default rates of these applicants; --prior corrects them"
        )
