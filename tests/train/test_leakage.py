"""Fields that alone tell the outcome."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import CardField
from train.dataset import Dataset
from train.errors import TrainingError
from train.leakage import check_leakage, measure_fields

NUMBER = CardField("n", "number", nullable=True, reason="r")
LEVELS = CardField("c", "category", levels=("a", "b", "c"), nullable=True, reason="r")
RANDOM = np.random.default_rng(3)
Y = (RANDOM.random(1_000) < 0.25).astype(np.int64)
NOISE = RANDOM.normal(size=1_000)

LEAKS = {
    "a copy of the target": (NUMBER, Y * 1.0),
    "an amount that only defaults have": (NUMBER, Y * RANDOM.uniform(1, 100, 1_000)),
    "no order": (NUMBER, np.where(Y == 1, 50.0, RANDOM.choice([0.0, 100.0], 1_000))),
    "missing for the goods": (NUMBER, np.where(Y == 1, NOISE, np.nan)),
    "a level for each outcome": (LEVELS, Y * 2.0),
    "only defaults have the level": (LEVELS, np.where((Y == 1) & (NOISE > 0), 0.0, RANDOM.choice([1.0, 2.0], 1_000))),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_field_that_alone_tells_the_outcome_stops_training_unless_allowed(name: str) -> None:
    """The message names it with its strength, and both ways out."""
    field, column = LEAKS[name]
    data = Dataset(np.column_stack([NOISE, column]), Y)
    fields = {"noise": NUMBER, name: field}
    strengths = measure_fields(data, fields, 0)

    with pytest.raises(TrainingError, match=rf"alone tells the outcome: '{name}' \(AUC .*--ignore .*--allow "):
        check_leakage(strengths, fields)
    allowed = CardField(field.label, field.kind, levels=field.levels, nullable=True, reason="r", allow=True)
    check_leakage(strengths, fields | {name: allowed})


def test_rows_count_by_their_weights() -> None:
    """A field that tells the outcome of rows that stand for nearly nobody is no leak."""
    tells = np.arange(1_000) % 2 == 0
    column, fields = np.where(tells, Y * 1.0, NOISE > 0)[:, np.newaxis], {"n": NUMBER}

    strong, weak = (
        measure_fields(Dataset(column, Y, np.where(tells, heavy, 2 - heavy)), fields, 0)[0].auc
        for heavy in (1.99, 0.01)
    )

    assert strong > 0.95
    assert weak < 0.6


@given(seed=st.integers(0, 2**32 - 1), slope=st.floats(-1.5, 1.5))
def test_an_honest_field_passes(seed: int, slope: float) -> None:
    """Noise has an AUC of about 0.5, and a strong but honest field stays below the limit."""
    random = np.random.default_rng(seed)
    x = random.normal(size=2_000)
    y = (random.random(2_000) < 1 / (1 + np.exp(1 - slope * x))).astype(np.int64)
    data = Dataset(np.column_stack([random.normal(size=2_000), x]), y)
    fields = {"noise": NUMBER, "x": NUMBER}

    noise, strong = measure_fields(data, fields, 0)

    assert 0.4 < noise.auc < 0.6
    assert strong.auc < 0.9
    check_leakage((noise, strong), fields)
