"""`make bench-rejects`: what the report says of rejected applicants, against their true outcomes.

Made-up applicants through the door, whose outcomes are known even where the lender rejected them: by their fields, by
what only the lender saw, by chance, or by a knock-out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.pipeline import Pipeline

from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import write_page, write_table
from model.calibration import expit
from train.candidates import CANDIDATES
from train.card import CardField, CardPolicy
from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.policy import make_policy
from train.rejects.door import Group
from train.rejects.overlap import measure_chances
from train.rejects.sensitivity import Known, measure_sensitivity
from train.target import Labels
from train.threads import limit_threads
from train.weights import Flags

Reason = Literal["fields", "unseen", "chance", "knock-out"]

REASONS: dict[Reason, str] = {
    "chance": "by chance, 95% of all",
    "fields": "by their fields",
    "knock-out": "an income below a limit, all of them",
    "unseen": "by what only the lender saw",
}
"""Why applicants were rejected."""

LIMIT = -0.3
"""Income below which the knock-out rejects everybody."""

FIELDS = [CardField(name, "number", reason="High") for name in ("income", "debt")]
POLICY = make_policy(CardPolicy())


@dataclass(frozen=True, slots=True)
class Portfolio:
    """X: income and debt, float64, shape (n, 2); y: true outcomes, int64, and who was accepted, shape (n,) each."""

    X: Matrix
    y: Labels
    is_accepted: Flags

    @property
    def true_rate(self) -> float:
        """The default rate of the rejected."""
        return float(self.y[~self.is_accepted].mean())

    @property
    def groups(self) -> tuple[Group, Group]:
        """The accepted and the rejected, each with a weight of 1."""
        ours, theirs = (Group(self.X[rows], np.ones(int(rows.sum()))) for rows in (self.is_accepted, ~self.is_accepted))
        return ours, theirs


def draw(reason: Reason, rows: int = 3_000, seed: int = 1) -> Portfolio:
    """Risk grows with debt², so that a straight line fitted on the accepted alone is wrong beyond them."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 2))
    income, debt = X.T
    unseen = random.normal(size=rows)
    risk = -2.0 - 0.8 * income + 0.3 * debt**2 + 0.5 * debt + 1.5 * unseen * (reason == "unseen")
    chance = {
        "fields": expit(1.0 + income - 2.0 * debt),
        "unseen": expit(1.0 - 3.0 * unseen),
        "chance": np.full(rows, 0.05),
        "knock-out": np.where(income < LIMIT, 0.0, 0.9),
    }[reason]
    return Portfolio(X, (random.random(rows) < expit(risk)).astype(np.int64), random.random(rows) < chance)


def build(data: Dataset) -> Pipeline:
    """A logistic regression: a straight line."""
    return fit(CANDIDATES["logistic"].build(FIELDS, 0), data)


def know(portfolio: Portfolio) -> Known:
    """What training knows: a model fitted on the accepted applicants but for every fifth."""
    ours, theirs = portfolio.groups
    y, is_held = portfolio.y[portfolio.is_accepted], np.arange(ours.count) % 5 == 0
    model = build(Dataset(ours.X[~is_held], y[~is_held]))
    probability, of_rejected = (model.predict_proba(group.X)[:, 1] for group in (ours, theirs))
    return Known(ours, theirs, measure_chances(ours, theirs, FIELDS, 0), y, probability, of_rejected, is_held)


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    rows = []
    started = time.process_time()
    with limit_threads(0):
        for reason, why in REASONS.items():
            portfolio = draw(reason, options.rows)
            known = know(portfolio)
            variants = measure_sensitivity(known, build, POLICY, 0)
            few = float((known.chances.rejected < known.chances.limit).mean())
            estimates = (one.rejected for one in variants)
            figures = (portfolio.is_accepted.mean(), few, portfolio.true_rate, *estimates)
            rows.append([why, *(f"{figure:.1%}" for figure in figures)])
    seconds = (time.process_time() - started) / len(REASONS)
    titles = ("this model", "augmentation", "parcelling × 1.5", "parcelling × 3")
    head = ["rejected", "accepted", "few accepted", "true default rate of rejected", *titles]
    text = (
        f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}, {options.rows:,} applicants, a logistic regression, "
        f"{seconds:.1f} s of CPU time each:\n\n{write_table(head, rows)}"
    )
    print(text)
    if options.write:
        write_page(options.write, "rejects", text)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rejects", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000, help="applicants through the door")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table between the markers of this page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
