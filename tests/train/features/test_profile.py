"""Profiles and near-duplicates, computed in batches, equal those of pandas over the whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from train.errors import TrainingError
from train.features.profile import Duplicate, find_duplicates, profile
from train.features.stored import BATCH_ROWS, StoredFeatures

ROWS = 2 * BATCH_ROWS + 17


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Columns with different correlations, missing values and means far from 0."""
    random = np.random.default_rng(3)
    a, b = random.normal(1e6, 1, ROWS), random.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "a": np.where(random.random(ROWS) < 0.3, np.nan, a),
            "minus_a": -2 * a + 5,
            "b": b,
            "nearly_b": b + random.normal(0, 0.1, ROWS),
            "less_b": b + random.normal(0, 0.3, ROWS),
            "empty": np.nan,
            "constant": 7.0,
            "text": pd.Series(["x"] * ROWS).where(random.random(ROWS) < 0.5),
        }
    )
    # Present in 19 rows only, in which it equals b.
    frame["rare"] = b.copy()
    frame["other"] = b * 3 + random.normal(0, 9, ROWS)
    frame.loc[19:, "rare"] = np.nan
    return frame


@pytest.fixture(scope="module")
def stored(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> StoredFeatures:
    """The table as two files, one of them a folder of parts with other boundaries."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "parts").mkdir()
    for number, (start, end) in enumerate([(0, 5), (5, 20_000), (20_000, ROWS)]):
        table[["id", "a", "b", "text"]][start:end].to_parquet(folder / "parts" / f"part-{number}.parquet")
    table.drop(columns=["a", "text"]).to_parquet(folder / "others.parquet", row_group_size=7_000)
    return StoredFeatures((folder / "parts", folder / "others.parquet"), "id")


def test_a_profile_equals_that_of_pandas(table: pd.DataFrame, stored: StoredFeatures) -> None:
    """Count, range, mean and deviation over all batches; levels of a text."""
    profiles = profile(stored, list(table.columns.drop("id")))

    assert list(profiles) == list(table.columns.drop("id"))
    for name in table.select_dtypes("number").columns.drop(["id", "empty"]):
        facts, column = profiles[name], table[name]
        assert (facts.rows, facts.present) == (ROWS, column.count())
        assert (facts.minimum, facts.maximum) == (column.min(), column.max())
        assert facts.mean == pytest.approx(column.mean(), rel=1e-12)
        assert facts.deviation == pytest.approx(column.std(ddof=0), rel=1e-9)
    assert profiles["empty"].present == 0
    assert profiles["text"].levels == ("x",)
    assert profiles["text"].present == table["text"].count()


def test_of_near_duplicates_the_one_with_more_values_is_kept(table: pd.DataFrame, stored: StoredFeatures) -> None:
    """|r| > 0.98 of either sign over at least 20 common rows."""
    found = find_duplicates(stored, profile(stored, list(table.columns.drop("id"))))

    assert [duplicate.name for duplicate in found] == ["a", "nearly_b", "empty"]
    assert [duplicate.kept for duplicate in found] == ["minus_a", "b", ""]
    r = table.drop(columns="id").corr(numeric_only=True).to_dict()
    assert found[0].correlation == pytest.approx(r["a"]["minus_a"], abs=1e-9)
    assert found[1].correlation == pytest.approx(r["b"]["nearly_b"], abs=1e-9)
    assert 0.9 < r["b"]["less_b"] < 0.98
    assert r["b"]["rare"] > 0.98


def test_a_dropped_column_has_a_kept_near_duplicate(tmp_path: Path) -> None:
    """In a chain a ~ b ~ c, where a and c differ more, b is dropped and c is kept."""
    random = np.random.default_rng(5)
    a, noise = random.normal(size=4_000), random.normal(size=4_000)
    pd.DataFrame({"id": np.arange(4_000), "a": a, "b": a + 0.15 * noise, "c": a + 0.3 * noise}).to_parquet(
        tmp_path / "chain.parquet"
    )

    chain = StoredFeatures((tmp_path / "chain.parquet",), "id")
    found = find_duplicates(chain, profile(chain, ["a", "b", "c"]))

    assert [(duplicate.name, duplicate.kept) for duplicate in found] == [("b", "a")]
    assert isinstance(found[0], Duplicate)


@pytest.mark.parametrize("ids", [[1, 2], [1, 3, 2], [1, 2, 3, 4]], ids=["fewer", "another order", "more"])
def test_files_with_other_applicants_are_refused(ids: list[int], tmp_path: Path) -> None:
    """A row must not combine two people."""
    pd.DataFrame({"id": [1, 2, 3], "a": 0.0}).to_parquet(tmp_path / "one.parquet")
    pd.DataFrame({"id": ids, "b": 0.0}).to_parquet(tmp_path / "two.parquet")

    with pytest.raises(TrainingError, match="different applicants"):
        list(StoredFeatures((tmp_path / "one.parquet", tmp_path / "two.parquet"), "id").batches(["a", "b"]))
