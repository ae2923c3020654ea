"""Training windows: whether the model of the newest rows alone is better."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from model.estimates import auc
from train.dataset import Dataset
from train.fitting import fit
from train.holdout import Partition, split_rows
from train.windows import Window, measure_windows

ROWS = 8_000


def make_data(break_at: int | None, has_weights: bool = False) -> Dataset:
    """Rows of one field; before the row `break_at` its relation to the risk is the opposite."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, 1))
    sign = np.ones(ROWS) if break_at is None else np.where(np.arange(ROWS) < break_at, -1.0, 1.0)
    y = (random.random(ROWS) < 1 / (1 + np.exp(1 - sign * X[:, 0]))).astype(np.int64)
    return Dataset(X, y, random.uniform(0.5, 1.5, ROWS) if has_weights else None, np.arange(ROWS) // 50)


def measure(data: Dataset) -> tuple[Partition, tuple[Window, ...]]:
    """The windows of a logistic regression."""
    partition = split_rows(data.y, 0, time=data.time)
    pipeline = fit(Pipeline([("classify", LogisticRegression())]), data.take(partition.training_rows))
    return partition, measure_windows(pipeline, data, partition)


@pytest.mark.parametrize("has_weights", [False, True])
def test_after_a_break_the_newest_rows_alone_are_better(has_weights: bool) -> None:
    """The relation turned round before the newest quarter of the training rows."""
    _, (every, half, quarter) = measure(make_data(4_800, has_weights))

    assert (every.share, half.share, quarter.share) == (1.0, 0.5, 0.25)
    assert (every.rows, half.rows, quarter.rows) == (6_400, 3_200, 1_600)
    assert every.since < half.since < quarter.since
    assert quarter.verdict == "better"
    assert quarter.log_loss < every.log_loss
    assert quarter.auc_difference is not None
    assert quarter.auc_difference.low > 0


def test_without_a_break_old_data_does_no_harm() -> None:
    """The differences are within noise."""
    _, windows = measure(make_data(None))

    assert [window.verdict for window in windows] == ["same"] * 3


def test_all_rows_have_the_auc_of_the_model_out_of_time() -> None:
    """A logistic regression of one field orders as the field does."""
    data = make_data(None)
    partition, windows = measure(data)
    held = data.take(partition.holdout_rows)

    assert windows[0].auc == pytest.approx(auc(held.y, held.X[:, 0]).value)


def test_there_are_no_windows_without_times_or_defaults() -> None:
    """A share with fewer than 20 goods or defaults is left out."""
    data = make_data(None)
    data.y[3_200:6_390] = 0

    _, windows = measure(data)

    assert windows == ()
    assert (
        measure_windows(Pipeline([("classify", LogisticRegression())]), Dataset(data.X, data.y), split_rows(data.y, 0))
        == ()
    )
