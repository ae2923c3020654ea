"""Shapes: what the served graph does with each field."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from model.session import Model
from train.bins import FEWEST
from train.card import Card
from train.report.evidence import Evidence
from train.report.shapes import EXPLAINED_ROWS, Shape, check_directions, measure_shapes


@pytest.fixture(scope="module")
def shapes(model: Model, evidence: Evidence) -> dict[str, Shape]:
    """By field."""
    return {shape.field.name: shape for shape in measure_shapes(model, evidence.X, seed=0)}


def test_importance_is_the_mean_absolute_contribution_largest_first(model: Model, evidence: Evidence) -> None:
    """The same figures as the graph gives for all rows."""
    assert len(evidence.X) <= EXPLAINED_ROWS
    contributions = model.score(evidence.X, explain=True).contributions

    found = [shape.importance for shape in measure_shapes(model, evidence.X, seed=0)]

    assert pytest.approx(sorted(np.abs(contributions).mean(axis=0), reverse=True)) == found


def test_a_shape_follows_the_truth(shapes: dict[str, Shape]) -> None:
    """More income, less risk; the rented home is the riskiest; those without a value stand apart."""
    income = [point.contribution for point in shapes["income"].points]
    home = {point.name: point.contribution for point in shapes["home"].points}

    assert income[0] > 0 > income[-1]
    assert "rent" == max(home, key=lambda level: home[level])
    assert shapes["income"].missing is not None
    assert shapes["amount"].missing is None


def test_no_point_tells_of_a_handful_of_people(shapes: dict[str, Shape], evidence: Evidence) -> None:
    """At least 20 each, and together at most all."""
    for shape in shapes.values():
        shares = [point.share for point in shape.points]
        assert min(shares) * len(evidence.y) >= FEWEST - 1e-9
        assert sum(shares) <= 1 + 1e-9
        assert all(point.low <= point.contribution <= point.high or point.share < 0.05 for point in shape.points)


def test_constrained_boosting_holds_every_direction(model: Model, card: Card, evidence: Evidence) -> None:
    """Every step on the grid of both fields the card knows the direction of."""
    found = check_directions(model, evidence.X, card.fields, seed=0)

    assert [("Income", 1.0), ("Amount <of> it", 1.0)] == [(one.label, one.holds) for one in found]
    assert all(one.steps > 1000 for one in found)


def test_a_direction_that_does_not_hold_is_found(model: Model, card: Card, evidence: Evidence) -> None:
    """The same graph held against the opposite statement."""
    wrong = {**card.fields, "income": structs.replace(card.fields["income"], risk="increases")}

    found = {one.label: one.holds for one in check_directions(model, evidence.X, wrong, seed=0)}

    assert found["Income"] < 0.9
    assert 1.0 == found["Amount <of> it"]
