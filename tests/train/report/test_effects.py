"""FieldEffect functions and monotonicity of each field, computed by the exported graph."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from model.bins import MIN_COUNT
from model.session import Model
from train.card import Card
from train.report.effects import MAX_ROWS, FieldEffect, check_directions, measure_effects
from train.report.out_of_sample import OutOfSample


@pytest.fixture(scope="module")
def effects(model: Model, out_of_sample: OutOfSample) -> dict[str, FieldEffect]:
    """Name of the field → its effect."""
    return {effect.field.name: effect for effect in measure_effects(model, out_of_sample.X, seed=0)}


def test_importance_is_the_mean_absolute_contribution_largest_first(model: Model, out_of_sample: OutOfSample) -> None:
    """The sample contains all rows of this table."""
    assert len(out_of_sample.X) <= MAX_ROWS
    contributions = model.score(out_of_sample.X, explain=True).contributions

    found = [effect.importance for effect in measure_effects(model, out_of_sample.X, seed=0)]

    assert found == pytest.approx(sorted(np.abs(contributions).mean(axis=0), reverse=True))


def test_effects_follow_the_data_generating_process(effects: dict[str, FieldEffect]) -> None:
    """Income lowers the risk, a rented home raises it most; missing values are a point of their own."""
    income = [point.contribution for point in effects["income"].points]
    home = {point.name: point.contribution for point in effects["home"].points}

    assert income[0] > 0 > income[-1]
    assert max(home, key=lambda level: home[level]) == "rent"
    assert effects["income"].missing is not None
    assert effects["amount"].missing is None


def test_no_point_describes_fewer_than_20_applicants(
    effects: dict[str, FieldEffect], out_of_sample: OutOfSample
) -> None:
    """The shares of the points add up to at most 1."""
    for effect in effects.values():
        shares = [point.share for point in effect.points]
        assert min(shares) * len(out_of_sample.y) >= MIN_COUNT - 1e-9
        assert sum(shares) <= 1 + 1e-9
        assert all(point.low <= point.contribution <= point.high or point.share < 0.05 for point in effect.points)


def test_constrained_boosting_is_monotonic(model: Model, card: Card, out_of_sample: OutOfSample) -> None:
    """Every step complies, for both fields with a direction in the card."""
    found = check_directions(model, out_of_sample.X, card.fields, seed=0)

    assert [(one.label, one.compliance) for one in found] == [("Income", 1.0), ("Amount <of> it", 1.0)]
    assert all(one.steps > 1000 for one in found)


def test_a_violated_direction_is_found(model: Model, card: Card, out_of_sample: OutOfSample) -> None:
    """The same graph, checked against the opposite direction."""
    opposite = {**card.fields, "income": structs.replace(card.fields["income"], risk="increases")}

    found = {one.label: one.compliance for one in check_directions(model, out_of_sample.X, opposite, seed=0)}

    assert found["Income"] < 0.9
    assert found["Amount <of> it"] == 1.0


def test_whole_weights_are_repeated_rows(model: Model, out_of_sample: OutOfSample) -> None:
    """Importance, and the contribution and share of each level and range."""
    some = out_of_sample.X[:400]
    weight = np.random.default_rng(0).integers(1, 4, len(some)).astype(np.float64)

    weighted = measure_effects(model, some, 0, weight)
    repeated = {one.field.name: one for one in measure_effects(model, np.repeat(some, weight.astype(int), axis=0), 0)}

    for effect in weighted:
        expected = repeated[effect.field.name]
        assert effect.importance == pytest.approx(expected.importance)
        points = {point.name: point for point in expected.points}
        assert effect.points
        for point in effect.points:
            other = points[point.name]
            assert (point.share, point.contribution) == pytest.approx((other.share, other.contribution))
            assert (point.low, point.high) == pytest.approx((other.low, other.high))
