"""What a fitted model remembers of the values of its columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, StandardScaler

from train.importing.ranges import Range, merge_limits, remember_ranges

RANDOM = np.random.default_rng(0)
X = np.column_stack([RANDOM.lognormal(8, 2, 400), RANDOM.random(400) < 0.005, RANDOM.integers(1, 5, 400)])
X[7, 1] = 1.0
Y = (X[:, 0] > 3000).astype(int)


def test_a_rare_zero_or_one_is_within_its_bounds() -> None:
    """A scaler's variance tells 0/1 columns from others, of which it tells no limits."""
    income, flag, number = remember_ranges(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y))

    assert (flag.minimum, flag.maximum) == (0.0, 1.0)
    assert (income.minimum, income.maximum, number.minimum) == (None, None, None)
    assert income.center == pytest.approx(X[:, 0].mean())


@given(ones=st.integers(1, 399), other=st.floats(0.01, 0.99))
@settings(max_examples=30)
def test_only_zeros_and_ones_are_taken_for_such(ones: int, other: float) -> None:
    """One value between them is enough."""
    column = np.repeat([0.0, 1.0], [400 - ones, ones])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())

    (binary,) = remember_ranges(pipeline.fit(column[:, None], Y))
    column[0] = other
    (mixed,) = remember_ranges(pipeline.fit(column[:, None], Y))

    assert (binary.maximum, mixed.maximum) == (1.0, None)


def test_limits_of_scalers_and_encoders_hold() -> None:
    """By column name, behind an imputer, which tells the center."""
    table = pd.DataFrame(X, columns=["income", "flag", "kind"])
    chosen = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler()), ["income"]),
            ("f", MaxAbsScaler(), ["flag"]),
            ("k", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
        ]
    )

    ranges = remember_ranges(make_pipeline(chosen, LogisticRegression()).fit(table, Y))

    income = Range(X[:, 0].min(), X[:, 0].max(), np.median(X[:, 0]))
    assert ranges == (income, Range(-1.0, 1.0), Range(1.0, 4.0))


def test_a_computed_column_tells_nothing_of_its_input() -> None:
    """A second scaler sees scaled numbers."""
    (known, *_) = remember_ranges(make_pipeline(MinMaxScaler(), MaxAbsScaler(), LogisticRegression()).fit(X, Y))

    assert (known.minimum, known.maximum) == (X[:, 0].min(), X[:, 0].max())


def test_limits_of_applicants_widen_those_of_the_model() -> None:
    """Neither warns of a value that the other has seen; missing values don't count."""
    assert merge_limits(Range(0.0, 5.0), [3.0, 9.0, np.nan]) == Range(0.0, 9.0)
    assert merge_limits(Range(), [np.nan]) == Range()
