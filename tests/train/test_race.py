"""The race among settings: successive halving on the same folds, early stopping, and the choice beyond noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from train import race as race_module
from train.candidates import CANDIDATES, LEAVES, Candidate, Hyperparameters
from train.card import CardField
from train.cross_validation import Trial, cross_validate
from train.dataset import Dataset
from train.entrants import MARGIN
from train.folds import FOLDS, make_random_folds
from train.race import Race, Racer
from train.staged import PATIENCE, fit_staged

SEED = 3
FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "abcd"]
SMALL: Hyperparameters = {"max_iter": 20, "min_samples_leaf": 5, "max_features": 1.0, "l2_regularization": 1.0}
LARGE: Hyperparameters = {"max_iter": 60, "learning_rate": 0.3, "max_leaf_nodes": 31}
CANDIDATE = replace(
    CANDIDATES["boosting"],
    settings=CANDIDATES["boosting"].settings | SMALL,
    race=({"learning_rate": 0.02}, {"learning_rate": 0.1}, LARGE, LARGE | {"max_leaf_nodes": 16}),
    nearby=({"learning_rate": 0.5}, {"l2_regularization": 5.0}),
)


@pytest.fixture(scope="module")
def checkers() -> Dataset:
    """A board of 16 squares, which few small trees can't learn."""
    random = np.random.default_rng(5)
    X = random.uniform(-1, 1, size=(900, 4))
    return Dataset(X, ((np.floor(2 * X[:, :2]).sum(axis=1) % 2 == 0) ^ (random.random(900) < 0.05)).astype(np.int64))


@pytest.fixture(scope="module")
def noise() -> Dataset:
    """Outcomes that depend on no field."""
    random = np.random.default_rng(6)
    return Dataset(random.normal(size=(600, 4)), random.integers(0, 2, 600))


def run(data: Dataset, candidate: Candidate = CANDIDATE) -> tuple[Race, list[Trial]]:
    """A race, and the trials that were recorded."""
    records: list[Trial] = []
    return Racer(candidate, data, FIELDS, SEED, records.append).run(), records


@pytest.fixture(scope="module")
def won(checkers: Dataset) -> tuple[Race, list[Trial]]:
    """A race on the board, and its records."""
    return run(checkers)


@pytest.fixture(scope="module")
def undecided(noise: Dataset) -> tuple[Race, list[Trial]]:
    """A race on noise, and its records."""
    return run(noise)


def test_half_of_the_settings_go_on_to_each_further_fold(undecided: tuple[Race, list[Trial]]) -> None:
    """The default settings, and the best ones with small trees, go on to all."""
    race, records = undecided

    assert len(race.trials) == 1 + len(CANDIDATE.race)
    assert sorted(len(trial.folds) for trial in records) != [FOLDS] * len(records)
    assert race.fits == sum(len(trial.folds) for trial in records)
    assert [trial.is_complete for trial in records] == [len(trial.folds) == FOLDS for trial in records]
    complete = [trial.settings for trial in records if trial.is_complete]
    assert any(settings | {"max_iter": 20} == CANDIDATE.settings for settings in complete)


def test_the_same_data_and_seed_run_the_same_race(checkers: Dataset, won: tuple[Race, list[Trial]]) -> None:
    """Trials, settings, folds and their order."""
    assert run(checkers) == won


def test_settings_that_are_no_better_beyond_noise_lose_against_the_default_ones(
    undecided: tuple[Race, list[Trial]],
) -> None:
    """Where nothing can be learned, no larger trees are chosen; neighbours don't race."""
    race, records = undecided

    assert race.chosen.settings["max_leaf_nodes"] == LEAVES
    assert len(records) == 1 + len(CANDIDATE.race)


def test_larger_trees_win_where_they_are_better_and_their_neighbours_race_too(won: tuple[Race, list[Trial]]) -> None:
    """The winner has every fold, and a smaller log loss than the default settings."""
    race, records = won
    default = next(one for one in records if one.settings | {"max_iter": 20} == CANDIDATE.settings)

    assert race.chosen.settings["max_leaf_nodes"] > LEAVES
    assert race.chosen.log_loss < (1 - MARGIN) * default.log_loss
    assert race.chosen.is_complete
    assert len(records) > 1 + len(CANDIDATE.race)
    assert records[-1] is race.chosen


@pytest.mark.parametrize(("table", "result"), [("checkers", "won"), ("noise", "undecided")])
def test_the_winner_is_not_worse_than_the_default_settings_on_the_folds(
    table: str, result: str, request: pytest.FixtureRequest
) -> None:
    """Up to the margin, with all of their trees."""
    data: Dataset = request.getfixturevalue(table)
    race, _ = request.getfixturevalue(result)

    assert race.chosen.log_loss <= cross_validate(CANDIDATE, data, FIELDS, SEED).log_loss * (1 + MARGIN)


def test_the_chosen_trial_is_the_cross_validation_of_its_settings(
    checkers: Dataset, won: tuple[Race, list[Trial]]
) -> None:
    """The first trees of an early stopped fit are those of a fit with so many trees: same folds, same predictions."""
    chosen = won[0].chosen

    again = cross_validate(CANDIDATE, checkers, FIELDS, SEED, settings=chosen.settings)

    np.testing.assert_allclose(chosen.probability, again.probability, rtol=0, atol=1e-12)
    assert chosen.log_loss == pytest.approx(again.log_loss, abs=1e-12)
    assert np.isfinite(chosen.probability).all()


@pytest.mark.parametrize("fits", [1, 4, 7, 11])
def test_a_time_limit_ends_the_race_with_the_best_so_far(checkers: Dataset, fits: int) -> None:
    """The best so far is then measured on the remaining folds, and every trial that began is recorded."""
    asked = count(1)
    records: list[Trial] = []

    race = Racer(CANDIDATE, checkers, FIELDS, SEED, records.append, is_over=lambda: next(asked) > fits).run()

    assert race.is_cut_short
    assert fits <= race.fits <= fits + FOLDS
    assert race.chosen.is_complete
    assert race.trials == tuple(records)


@pytest.mark.parametrize("fits", [0, 3, 1000])
def test_settings_meet_on_a_sample_of_a_large_table_first(
    checkers: Dataset, fits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that lose there end with one incomplete fold; the limit may end the race there too."""
    monkeypatch.setattr(race_module, "HEAT_ROWS", 300)
    asked = count(1)
    records: list[Trial] = []

    race = Racer(CANDIDATE, checkers, FIELDS, SEED, records.append, is_over=lambda: next(asked) > fits).run()

    assert race.is_cut_short is (fits < 1000)
    assert race.chosen.is_complete
    assert records[-1] is race.chosen
    if fits == 1000:
        assert race.chosen.settings["max_leaf_nodes"] > LEAVES
        assert np.isfinite(records[0].probability).sum() == len(checkers.y) // FOLDS
        assert not records[0].is_complete


def test_weights_of_one_change_nothing(checkers: Dataset) -> None:
    """Fit, early stopping and choice; on rounded numbers, whose bins take no slow weighted percentiles."""
    data = replace(checkers, X=checkers.X.round(2))
    weighted = replace(data, weight=np.ones(len(data.y)))

    one, two = run(data)[0].chosen, run(weighted)[0].chosen

    assert one.settings == two.settings
    np.testing.assert_allclose(one.probability, two.probability, rtol=0, atol=1e-9)


def test_a_fit_stops_when_the_loss_no_longer_falls(noise: Dataset) -> None:
    """The losses are those of every number of trees, by the weighted rows that the fold measures."""
    rows = make_random_folds(noise, SEED)[0]
    weight = np.random.default_rng(0).uniform(0.5, 2, len(noise.y))
    data = replace(noise, weight=weight / weight.mean())

    staged = fit_staged(CANDIDATE.build(FIELDS, SEED, {"max_iter": 500, "learning_rate": 0.3}), data, rows)

    assert PATIENCE / 0.3 <= len(staged.losses) < 500
    p = staged.predict(data.X, 3)
    y, w = data.y[rows.measured], data.weight[rows.measured] if data.weight is not None else None
    assert staged.losses[2] == pytest.approx(np.average(-np.log(np.where(y == 1, p, 1 - p)), weights=w))
