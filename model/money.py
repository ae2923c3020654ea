"""Policy in money: what accepting an applicant earns and loses, by the applicant's own exposure.

    expected loss   = p · LGD · EAD                      if accepted
    expected profit = (1 − p) · margin · EAD − p · LGD · EAD   if accepted; 0 if refused

(Verbraken et al., Development and application of consumer credit scoring models using profit-based classification
measures, EJOR 238, 2014.) The functions here and the nodes of train/export/decision.py are the same; tests compare
them.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from model.inputs import Input, Matrix


class Stakes(Struct, frozen=True):
    """What is at stake for each applicant, float64, shape (n,): the loss of a default, the gain of a good loan.

    NaN where exposure or margin is missing, the exposure isn't positive, or the margin is above 1, a percentage.
    """

    loss: Matrix
    gain: Matrix


class Thresholds(Struct, frozen=True):
    """The probabilities of default that review and refusal begin from; float64, shape (n,), or the same for all."""

    review_from: Matrix | float
    refuse_from: Matrix | float


class Money(Struct, frozen=True, forbid_unknown_fields=True):
    """`exposure` at default: an input, or an amount for all. `lgd`: share of the exposure lost by a default. `margin`:
    share of the exposure earned on a good loan, an input or the same for all; a negative one counts as 0."""

    exposure: Input | float
    lgd: float
    margin: Input | float

    def stakes(self, applicants: Matrix) -> Stakes:
        """For applicants, float64, shape (n, n_fields)."""
        exposure, margin = _read(self.exposure, applicants), _read(self.margin, applicants)
        loss = self.lgd * exposure
        gain = np.maximum(margin, 0.0) * exposure
        is_known = (loss > 0) & (gain >= 0) & (margin <= 1)
        return Stakes(np.where(is_known, loss, np.nan), np.where(is_known, gain, np.nan))

    def expected_loss(self, probability: Matrix, applicants: Matrix) -> Matrix:
        """p · LGD · EAD, of an accepted applicant: float64, shape (n,); NaN where it isn't known."""
        return probability * self.stakes(applicants).loss

    def expected_profit(self, probability: Matrix, applicants: Matrix) -> Matrix:
        """(1 − p) · margin · EAD − p · LGD · EAD, of an accepted applicant: float64, shape (n,); NaN where unknown."""
        stakes = self.stakes(applicants)
        return (1 - probability) * stakes.gain - probability * stakes.loss

    def thresholds(self, applicants: Matrix, cost_review: float | None) -> Thresholds:
        """Where the decision of the largest expected profit changes; where it isn't known, all are reviewed.

        Accepting is best below p = gain / (loss + gain). A review costs `cost_review` and is taken to find the right
        answer: it is best from p = cost_review / loss to 1 − cost_review / gain, if there is such a p at all.
        """
        stakes = self.stakes(applicants)
        with np.errstate(all="ignore"):
            review_from = refuse_from = stakes.gain / (stakes.loss + stakes.gain)
            if cost_review is not None:
                pays = cost_review < refuse_from * stakes.loss
                review_from = np.where(pays, cost_review / stakes.loss, review_from)
                refuse_from = np.where(pays, 1 - cost_review / stakes.gain, refuse_from)
        is_unknown = np.isnan(stakes.loss)
        return Thresholds(np.where(is_unknown, 0.0, review_from), np.where(is_unknown, np.inf, refuse_from))


def list_amounts(amounts: Matrix) -> list[float | None]:
    """Amounts, float64, shape (n,), as JSON has them: None for NaN."""
    return [None if amount != amount else amount for amount in amounts.tolist()]


def _read(source: Input | float, applicants: Matrix) -> Matrix:
    return source.read(applicants) if isinstance(source, Input) else np.full(len(applicants), source)
