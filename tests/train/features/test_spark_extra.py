"""The features on Spark: the same as on DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.tools import require
from tests.train.features.conftest import compute_table
from tests.train.features.test_compute import assert_same
from train.features.engines import Spark


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spark]:
    """Spark as a short run wants it: nothing compiled that is run once."""
    require("java")
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    (tmp_path / "spark-defaults.conf").write_text(
        "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\n"
    )
    engine = Spark("local[2]", "1GB")
    yield engine
    engine.close()


def test_both_engines_give_the_same_features(
    spark: Spark, tables: Path, in_duckdb: Callable[[Path], pd.DataFrame], tmp_path: Path
) -> None:
    """Written once, run twice: DuckDB and Spark agree on every cell."""
    expected = in_duckdb(tables)

    actual = compute_table(tables, spark, tmp_path)

    assert list(expected.columns) == list(actual.columns)
    assert_same(expected, actual)
