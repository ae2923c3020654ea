"""Challengers of the model of tests/conftest.py: other fields in another order, other levels, faulty ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from model.contract import CONTRACT_VERSION, Contract, Golden, Training
from model.session import Matrix, Model, Scores
from tests.conftest import CARD, ROWS, SEED
from train.candidates import CANDIDATES
from train.card import Card
from train.contract import make_fields
from train.export import draw_reference, export
from train.export.golden import draw_applicants
from train.policy import make_policy
from train.readers.describe import describe

VERSION = "2026.03.04-fedcba98"

FIELDS = ("Debt/Income~12m", "Home", "Amount")
"""Of the champion's fields, in this order."""

LEVELS = ("other", "rent", "own")
"""Of the field Home, the champion's in another order."""


def make_card(names: Sequence[str] = FIELDS, levels: Sequence[str] = LEVELS, **changes: Any) -> Card:
    """The champion's card with fewer fields, and of these fields with changes."""
    fields = {name: replace(CARD.fields[name], **changes.get(name, {})) for name in names}
    if "Home" in fields and fields["Home"].kind == "category":
        fields["Home"] = replace(fields["Home"], levels=tuple(levels))
    return replace(CARD, fields=fields)


def make_challenger(card: Card | None = None) -> bytes:
    """A model file for a card."""
    card = card or make_card()
    fields = make_fields(card)
    rows = draw_applicants(fields, ROWS, SEED + 2)
    y = (np.random.default_rng(SEED).random(ROWS) < 1 / (1 + np.exp(-np.nan_to_num(rows[:, 0])))).astype(int)
    pipeline = CANDIDATES["logistic"].build(list(card.inputs.values()), SEED).fit(rows, y)
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name=card.dataset.name,
        version=VERSION,
        trained_at="2026-03-04T05:06:07Z",
        fields=tuple(fields),
        policy=make_policy(card.policy),
        base_value=0.0,
        training=Training("logistic", ROWS, 0, 0.5, SEED, "data", "card", "commit", {"scikit-learn": "1"}),
        metrics={},
        golden=Golden((), (), ()),
    )
    return export(describe(pipeline), contract, draw_reference(rows, SEED))


class Failing(Model, frozen=True):
    """A model that fails in some way.

    `error`: what it raises. `is_nan`: whether the probability of every second applicant is NaN.
    """

    error: Exception | None = None
    is_nan: bool = False

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Fail."""
        if self.error is not None:
            raise self.error
        scores = Model.score(self, applicants, explain=explain)
        probability = scores.probability.copy()
        probability[::2] = np.nan if self.is_nan else probability[::2]
        return Scores(probability, scores.decision, scores.contributions)
