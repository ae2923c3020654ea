"""Every aggregate equals its computation in pandas."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import pandas_features

TOLERANCE = 1e-9
"""Of a value above 1 relative, else absolute: sums are added up in another order."""

KERNEL = [
    "DAYS_EMPLOYED_PERC", "INCOME_CREDIT_PERC", "INCOME_PER_PERSON", "ANNUITY_INCOME_PERC", "PAYMENT_RATE",
    "BURO_DAYS_CREDIT_MIN", "BURO_CREDIT_ACTIVE_Active_MEAN", "BURO_STATUS_0_MEAN_MEAN", "BURO_MONTHS_BALANCE_SIZE_SUM",
    "ACTIVE_AMT_CREDIT_SUM_DEBT_SUM", "CLOSED_DAYS_CREDIT_VAR", "CLOSED_MONTHS_BALANCE_MAX_MAX",
    "PREV_APP_CREDIT_PERC_VAR", "PREV_NAME_CONTRACT_STATUS_Refused_MEAN", "APPROVED_CNT_PAYMENT_MEAN",
    "REFUSED_HOUR_APPR_PROCESS_START_MAX", "POS_SK_DPD_DEF_MEAN", "POS_COUNT", "INSTAL_NUM_INSTALMENT_VERSION_NUNIQUE",
    "INSTAL_DPD_SUM", "INSTAL_DBD_MAX", "INSTAL_PAYMENT_PERC_VAR", "INSTAL_PAYMENT_DIFF_MEAN", "INSTAL_COUNT",
    "CC_AMT_BALANCE_VAR", "CC_NAME_CONTRACT_STATUS_Active_SUM", "CC_COUNT",
]  # fmt: skip


def assert_same(expected: pd.DataFrame, actual: pd.DataFrame) -> None:
    """The same applicants in the same order, the same missing cells and texts, numbers within TOLERANCE."""
    assert list(expected.index) == list(actual.index)
    assert set(expected.columns) == set(actual.columns)
    for name in actual.columns:
        one, other = expected[name], actual[name]
        assert one.isna().tolist() == other.isna().tolist(), name
        if other.dtype == np.float64:
            difference = (one - other).abs() / other.abs().clip(lower=1)
            assert not (difference > TOLERANCE).any(), name
        else:
            assert one.dropna().tolist() == other.dropna().tolist(), name


@pytest.mark.parametrize("source", ["synthetic", *(["tables"] if "HOME_CREDIT_DIR" in os.environ else [])])
def test_each_aggregate_equals_its_computation_in_pandas(
    source: str, request: pytest.FixtureRequest, in_duckdb: Callable[[Path], pd.DataFrame]
) -> None:
    """On the real tables, and on synthetic ones with missing values, zeros and unknown genders."""
    folder = request.getfixturevalue(source)

    actual = in_duckdb(folder)

    assert_same(pandas_features.compute(folder).drop(columns="TARGET"), actual)
    assert set(KERNEL) <= set(actual.columns)
