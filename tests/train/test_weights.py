"""Weights: multiples of the smallest give the figures of repeated rows, ones those without weights; intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.estimates import Estimate, auc
from train.bins import bin_levels, bin_numbers
from train.card import CardField, CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.quality import Quality, measure
from train.report.calibration import measure_calibration
from train.report.costs import measure_costs
from train.report.fairness import measure_fairness
from train.report.group_figures import measure_group
from train.report.intervals import mean, ratio_of_means, share_of
from train.report.out_of_sample import OutOfSample
from train.report.over_time import measure_periods
from train.report.segments import measure_segments
from train.report.stability import count_weighted
from train.weights import count_effective, count_units, kish_rows, weighted_quantile

POLICY = make_policy(CardPolicy(cost_review=0.4))
TOLERANCE = 1e-9

SEEDS = st.integers(0, 10**6)
IGNORED = {"agreement", "proxy_auc", "count", "n_excluded", "n_other", "empirical_threshold"}
"""Figures of rows and of their noise; the empirical threshold may lie between two rows of equal cost."""


def draw_rows(seed: int, rows: int = 600) -> OutOfSample:
    """Rows with ties, two groups and three years, of which the last is held out; weights from 1 to 4."""
    random = np.random.default_rng(seed)
    probability = random.choice(random.beta(1, 3, 60), rows)
    group = random.choice([0.0, 1.0], rows)
    y = (random.random(rows) < probability).astype(np.int64)
    time = np.sort(random.choice([13149, 13514, 13879], rows)).astype(np.int64)
    weight = random.integers(1, 5, rows).astype(np.float64)
    # As encode_weight scales them.
    weight /= weight.mean()
    held = np.flatnonzero(time == 13879)
    return OutOfSample(np.ones((rows, 1)), y, probability, held, {}, {"home": group}, weight, time)


def repeat(sample: OutOfSample) -> OutOfSample:
    """Each row as often as its weight says, without weights."""
    assert sample.weight is not None
    assert sample.time is not None
    rows = np.repeat(np.arange(len(sample.y)), count_units(sample.weight).astype(int))
    held = np.flatnonzero(np.isin(rows, sample.holdout_rows))
    segments = {name: values[rows] for name, values in sample.segments.items()}
    return OutOfSample(
        sample.X[rows], sample.y[rows], sample.probability[rows], held, {}, segments, None, sample.time[rows]
    )


def flatten(found: Any) -> list[Any]:
    """The point figures of a result, in order; intervals are left out."""
    if isinstance(found, Estimate):
        return [found.value]
    if isinstance(found, Quality):
        return list(msgspec.structs.astuple(found))
    if is_dataclass(found) and not isinstance(found, type):
        return [one for part in fields(found) if part.name not in IGNORED for one in flatten(getattr(found, part.name))]
    if isinstance(found, tuple | list | np.ndarray):
        return [one for part in found for one in flatten(part)]
    return [found]


def assert_same(one: Any, other: Any) -> None:
    """Equal words, and equal numbers but for rounding."""
    pairs = list(zip(flatten(one), flatten(other), strict=True))
    numbers = [pair for pair in pairs if isinstance(pair[0], float)]
    assert [pair for pair in pairs if not isinstance(pair[0], float) and pair[0] != pair[1]] == []
    left, right = np.array(numbers).reshape(-1, 2).T
    np.testing.assert_allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE)


MEASURES: dict[str, Callable[[OutOfSample], Any]] = {
    "calibration": lambda s: [
        (one.mean_probability, one.default_rate) for one in measure_calibration(s.y, s.probability, 0, s.weight).bins
    ],
    "quality": lambda s: measure(s.y, s.probability, judge(POLICY, s.probability, s.X), s.weight),
    "auc": lambda s: auc(s.y, s.probability, s.weight),
    "costs": lambda s: measure_costs(s.y, s.probability, judge(POLICY, s.probability, s.X), 0, s.weight),
    "group": lambda s: measure_group(s.y, s.probability, judge(POLICY, s.probability, s.X), s.weight),
    "segments": lambda s: measure_segments(s, {"home": CardField("Home", "category", levels=("a", "b"))}, POLICY),
    "periods": measure_periods,
    "quantiles": lambda s: weighted_quantile(s.probability, np.linspace(0, 1, 11), s.weight),
    "share": lambda s: share_of(s.y == 1, s.weight),
}


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=15)
@given(seed=SEEDS)
def test_whole_weights_are_repeated_rows(name: str, seed: int) -> None:
    """Every point figure."""
    sample = draw_rows(seed)

    assert_same(MEASURES[name](sample), MEASURES[name](repeat(sample)))


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=15)
@given(seed=SEEDS)
def test_weights_of_one_are_no_weights(name: str, seed: int) -> None:
    """Every point figure."""
    sample = draw_rows(seed)
    weighted, bare = (
        OutOfSample(
            sample.X, sample.y, sample.probability, sample.holdout_rows, {}, sample.segments, weight, sample.time
        )
        for weight in (np.ones(len(sample.y)), None)
    )

    assert_same(MEASURES[name](weighted), MEASURES[name](bare))


@given(seed=SEEDS, scale=st.floats(1e-100, 1e100))
def test_the_scale_of_weights_does_not_move_quantiles(seed: int, scale: float) -> None:
    """Nor strategy rows: they are counted in units of the smallest."""
    sample = draw_rows(seed, 60)
    assert sample.weight is not None
    shares = np.linspace(0, 1, 11)

    assert (count_units(sample.weight * scale) == count_units(sample.weight)).all()
    assert (
        weighted_quantile(sample.probability, shares, sample.weight * scale)
        == weighted_quantile(sample.probability, shares, sample.weight)
    ).all()


def test_rows_that_are_all_there_twice_have_other_quantiles_than_weights_of_two() -> None:
    """By less than a row: no quantile is both NumPy's without weights and the same for any scale of them."""
    values, shares = np.array([0.0, 1.0]), [0.25]

    assert weighted_quantile(values, shares, np.full(2, 2.0)).tolist() == [0.25]
    assert weighted_quantile(np.repeat(values, 2), shares).tolist() == [0.0]


def test_fairness_of_whole_weights_is_that_of_repeated_rows() -> None:
    """Of a category and of a number, whose ranges are of equal weight."""
    sample = draw_rows(1, 400)
    protected = {"home": sample.segments["home"], "age": np.random.default_rng(0).integers(18, 80, 400).astype(float)}
    card = {
        "home": CardField("Home", "category", levels=("a", "b"), use=False),
        "age": CardField("Age", "number", use=False),
    }
    assert sample.weight is not None
    rows = np.repeat(np.arange(400), count_units(sample.weight).astype(int))
    weighted = OutOfSample(sample.X, sample.y, sample.probability, np.arange(9), protected, {}, sample.weight)
    repeated = OutOfSample(
        sample.X[rows],
        sample.y[rows],
        sample.probability[rows],
        np.arange(9),
        {k: v[rows] for k, v in protected.items()},
    )

    found, expected = (measure_fairness(one, card, POLICY, seed=0) for one in (weighted, repeated))

    assert [field.name for field in found] == ["home", "age"]
    assert_same(found, expected)


@given(seed=SEEDS, rows=st.integers(1, 400))
def test_bins_of_weights_of_one_are_those_without(seed: int, rows: int) -> None:
    """Of numbers and of levels, with missing values."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(rows) < 0.1, np.nan, random.integers(0, 30, rows).astype(float))
    ones = np.ones(rows)

    assert bin_numbers(values, ones) == bin_numbers(values)
    assert bin_levels(values, 30, ones) == bin_levels(values, 30)


@given(seed=SEEDS, rows=st.integers(1, 400))
def test_weighted_bins_publish_no_small_group(seed: int, rows: int) -> None:
    """A bin with a count other than 0 and 10 has 20 rows, however heavy fewer of them are."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(rows) < 0.1, np.nan, random.integers(0, 30, rows).astype(float))
    weight = random.lognormal(0, 2, rows)

    for bins in (bin_numbers(values, weight), bin_levels(values, 30, weight)):
        found = count_values_of_rows(values, bins)
        published = [*bins.counts, bins.missing]
        assert [pair for pair in zip(published, found, strict=True) if pair[0] >= 20 > pair[1]] == []
        assert [count for count in published if 0 < count < 20 and count != 10] == []
        assert [pair for pair in zip(published, found, strict=True) if pair[0] == 0 < pair[1]] == []


def count_values_of_rows(values: np.ndarray, bins: Any) -> list[int]:
    """Rows in each bin, then missing."""
    counts: list[int] = count_weighted(values, bins).tolist()
    return counts[:-1]


def test_weighted_bins_show_the_weighted_distribution() -> None:
    """1,000 rows, of which a heavy half counts three times as much."""
    values = np.repeat([0.0, 1.0], 500)

    assert bin_levels(values, 2, np.repeat([3.0, 1.0], 500)).counts == (750, 250)
    assert bin_numbers(values, np.repeat([3.0, 1.0], 500)).counts == (750, 250)


def test_weighted_counts_are_of_effective_rows() -> None:
    """Shares are weighted; the total is Kish's number of rows."""
    values, weight = np.repeat([0.0, 1.0], 500), np.repeat([3.0, 1.0], 500)

    assert kish_rows(weight) == pytest.approx(800)
    assert count_weighted(values, bin_levels(values, 2), weight).tolist() == [600, 200, 0, 0]


def test_weights_that_depend_on_the_outcome_do_not_widen_its_interval() -> None:
    """All defaults, and a tenth of the goods with weight 10: thousands of effective rows, where Kish says 1,198."""
    y, weight = np.repeat([1, 0], 1000), np.repeat([1.0, 10.0], 1000)

    part, rows = count_effective(y == 1, weight)

    assert part / rows == pytest.approx(1 / 11)
    assert kish_rows(weight) == pytest.approx(1198, abs=1)
    assert rows > 5000


N_TRIALS = 400
MIN_COVERAGE = 0.91
"""The coverage of 400 correct 95% intervals is below this less than once in a thousand times."""


@pytest.mark.parametrize("depends", ["on nothing", "on the outcome", "on the probability"])
def test_weighted_intervals_have_their_nominal_coverage(depends: str) -> None:
    """Rows are drawn with a chance that depends on something, and weighted by its inverse."""
    random = np.random.default_rng(0)
    everyone = random.beta(1.5, 6, 200_000)
    outcomes = (random.random(len(everyone)) < everyone).astype(np.int64)
    chance = {
        "on nothing": random.choice([0.2, 1.0], len(everyone)),
        "on the outcome": np.where(outcomes == 1, 1.0, 0.2),
        "on the probability": np.clip(3 * everyone, 0.1, 1),
    }[depends]
    truths = {
        "share": outcomes.mean(),
        "mean": everyone.mean(),
        "ratio": everyone.mean() / outcomes.mean(),
        "auc": auc(outcomes, everyone).value,
    }
    hits = dict.fromkeys(truths, 0)
    for _ in range(N_TRIALS):
        some = random.integers(0, len(everyone), 1200)
        some = some[random.random(1200) < chance[some]]
        y, p, weight = outcomes[some], everyone[some], 1 / chance[some]
        found = {
            "share": share_of(y == 1, weight),
            "mean": mean(p, weight),
            "ratio": ratio_of_means(p, y.astype(np.float64), weight),
            "auc": auc(y, p, weight),
        }
        for name, estimate in found.items():
            hits[name] += not estimate.excludes(truths[name])

    assert {name: count / N_TRIALS for name, count in hits.items() if count / N_TRIALS < MIN_COVERAGE} == {}
