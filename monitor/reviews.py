"""What reviews by people brought: their final decisions against the model's."""

from __future__ import annotations

from itertools import product

import numpy as np
from msgspec import Struct

from model.estimates import Estimate, proportion
from model.policy import DECISIONS, Decision
from monitor.history import History, Integers, Small
from monitor.terms import Terms


class ReviewGroup(Struct, frozen=True):
    """Reviewed cases with one decision of the model and one final decision.

    `is_override`: a person reversed an answer of the model. `count`: cases; `outcomes`: with a known one. `observed`,
    `predicted`: default rate and mean probability of these. `cost_difference`: cost of the person's decisions, with a
    review each, less that of the model's, on known outcomes: a negative one was saved. What the model left to review
    is taken to cost the review alone, as by a reviewer who is always right, so that for these it is what the person's
    errors cost. `expected_difference`: of all cases, what the probabilities alone promise. Cases with unknown stakes
    are in neither difference.
    """

    decision: Decision
    final: Decision
    is_override: bool
    count: int
    outcomes: int
    defaults: int
    observed: Estimate | None
    predicted: float | None
    cost_difference: float | None
    expected_difference: float


def group_reviews(history: History, defaulted: Small, terms: Terms) -> list[ReviewGroup]:
    """The groups with cases, in the order of DECISIONS; `defaulted`: −1 = unknown, shape (n,)."""
    pairs = product(range(len(DECISIONS)), repeat=2)
    cases = {pair: np.flatnonzero((history.decision == pair[0]) & (history.final == pair[1])) for pair in pairs}
    return [_measure(pair, rows, history, defaulted, terms) for pair, rows in cases.items() if len(rows)]


def _measure(pair: tuple[int, ...], rows: Integers, history: History, defaulted: Small, terms: Terms) -> ReviewGroup:
    decision, final = (DECISIONS[index] for index in pair)
    is_known = defaulted[rows] >= 0
    probability, y = history.probability[rows], defaulted[rows].astype(np.float64)
    own = terms.take(rows)
    fee = 0.0 if final == "review" else own.review
    difference, promised = (
        own.expect_costs(of, np.full(len(rows), pair[1], np.int8))
        + fee
        - own.expect_costs(of, np.full(len(rows), pair[0], np.int8))
        for of in (y, probability)
    )
    priced = ~np.isnan(own.loss)
    outcomes, defaults = int(is_known.sum()), int(y[is_known].sum())
    return ReviewGroup(
        decision=decision,
        final=final,
        is_override={decision, final} == {"accept", "refuse"},
        count=len(rows),
        outcomes=outcomes,
        defaults=defaults,
        observed=proportion(defaults, outcomes) if outcomes else None,
        predicted=float(probability[is_known].mean()) if outcomes else None,
        cost_difference=float(difference[is_known & priced].sum()) if (is_known & priced).any() else None,
        expected_difference=float(promised[priced].sum()),
    )
