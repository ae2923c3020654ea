"""Proof of a recalibrated file: its answers against a float64 computation from those of its parent.

`python -m train recalibrate` writes no file that fails it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract import Contract
from model.loading import load_model
from model.session import Model, make_session
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.golden import draw_applicants
from train.export.recalibration import EXPOSED, Recalibration, expose_log_odds, is_in_log_odds
from train.export.rule_rows import draw_rule_rows
from train.fitted.links import Sigmoid
from train.proof import REASONS_TOLERANCE, TOLERANCE

GENERATED_ROWS = 20_000

ROWS_PER_RULE = 8
"""Generated rows that each test of a rule is proven on, at its limit."""

EXPLAINED_ROWS = 1_000
"""About this many rows are also scored with reasons, in one batch and one at a time."""


class Parent:
    """The file that is recalibrated, and what a recalibration must make of its answers."""

    def __init__(self, content: bytes) -> None:
        """Raises ContractError, and UnknownGraph for a file whose log-odds can't be found."""
        self.content = content
        self.model: Model = load_model(content)
        self.contract: Contract = self.model.contract
        self._session = make_session(expose_log_odds(content)) if is_in_log_odds(self.contract) else None

    def expect(self, applicants: Matrix, change: Recalibration) -> Matrix:
        """The new probabilities of applicants, float64, (n, n_fields) → (n,)."""
        if self._session is None:
            return change.move_probability(self.model.score(applicants).probability)
        (log_odds,) = self._session.run([EXPOSED], {"applicants": applicants})
        return Sigmoid().apply(change.move(log_odds[:-1]))


@dataclass(frozen=True, slots=True)
class RecalibrationProof:
    """What was compared, and the largest differences found; `repeated`: answers alone that differ from a batch's."""

    rows: int
    largest_difference: float
    decisions_differ: int
    reasons_difference: float
    repeated: int

    def __str__(self) -> str:
        return (
            f"New file checked on {self.rows:,} rows: largest difference {self.largest_difference:.1e} in probability, "
            f"{self.decisions_differ} decisions differ; reasons add up within {self.reasons_difference:.1e}"
        )


def prove_recalibration(
    parent: Parent, model: Model, change: Recalibration, applicants: Matrix, seed: int
) -> RecalibrationProof:
    """Compare a recalibrated model with its parent on applicants, float64, shape (n, n_fields), and on synthetic ones.

    Raises TrainingError if a probability, a decision or a contribution isn't what the line makes of the parent's.
    """
    fields = list(model.contract.fields)
    drawn = draw_applicants(fields, GENERATED_ROWS, seed)
    at_limits = draw_rule_rows(model.contract.policy.rules, fields, drawn[:ROWS_PER_RULE])
    rows = np.concatenate([applicants, drawn, at_limits])
    scores, expected = model.score(rows), parent.expect(rows, change)
    step = max(len(rows) // EXPLAINED_ROWS, 1)
    some = rows[::step]
    explained, before = model.score(some, explain=True), parent.model.score(some, explain=True)
    alone = np.concatenate([model.score(some[row : row + 1]).probability for row in range(len(some))])
    slope = change.slope if is_in_log_odds(parent.contract) else 1.0
    total = parent.contract.base_value + before.contributions.sum(axis=1)
    if is_in_log_odds(parent.contract):
        total = change.move(total)
    # Relative where the score exceeds 1, because large log-odds have fewer decimals in float64.
    gaps = (model.contract.base_value + explained.contributions.sum(axis=1) - total) / np.maximum(np.abs(total), 1)
    reasons = explained.contributions - slope * before.contributions
    proof = RecalibrationProof(
        rows=len(rows),
        largest_difference=_largest(scores.probability - expected),
        decisions_differ=int((scores.decision != model.contract.policy.decide(expected, rows)).sum()),
        reasons_difference=max(_largest(gaps), _largest(reasons / max(1.0, _largest(before.contributions)))),
        repeated=int((alone != explained.probability).sum() + (alone != scores.probability[::step]).sum()),
    )
    if (
        proof.largest_difference > TOLERANCE
        or proof.decisions_differ
        or proof.repeated
        or proof.reasons_difference > REASONS_TOLERANCE
    ):
        raise TrainingError(
            f"the recalibrated file differs from what its parent's answers give: {proof}; {proof.repeated} answers "
            "differ between one applicant and a batch; nothing was written: please open an issue with this line"
        )
    return proof


def _largest(difference: Matrix) -> float:
    """The largest absolute value; a NaN counts as infinite."""
    return float(np.where(np.isnan(difference), np.inf, np.abs(difference)).max(initial=0.0))
