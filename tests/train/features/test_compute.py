"""Every aggregate: equal to pandas' own computation, and the same on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import pandas_features
from tests.train.features.conftest import compute_table
from train.features.engines import Spark

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
    """The same applicants in the same order, the same gaps and texts, numbers within TOLERANCE."""
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


@pytest.mark.parametrize("source", ["sample", "made_up"])
def test_each_aggregate_equals_pandas_own_computation(
    source: str, request: pytest.FixtureRequest, in_duckdb: Callable[[Path], pd.DataFrame]
) -> None:
    """On the real sample, and on made-up tables, which have gaps, zeros and unknown genders in every place."""
    folder = request.getfixturevalue(source)

    actual = in_duckdb(folder)

    assert_same(pandas_features.compute(folder).drop(columns="TARGET"), actual)
    assert set(KERNEL) <= set(actual.columns)


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spark]:
    """Spark as a short run wants it: nothing compiled that is run once."""
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    (tmp_path / "spark-defaults.conf").write_text(
        "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\n"
    )
    engine = Spark("local[2]", "1GB")
    yield engine
    engine.close()


def test_both_engines_give_the_same_features(
    spark: Spark, sample: Path, in_duckdb: Callable[[Path], pd.DataFrame], tmp_path: Path
) -> None:
    """Written once, run twice: DuckDB and Spark agree on every cell."""
    expected = in_duckdb(sample)

    actual = compute_table(sample, spark, tmp_path)

    assert list(expected.columns) == list(actual.columns)
    assert_same(expected, actual)
