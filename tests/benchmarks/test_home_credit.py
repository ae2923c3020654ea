"""The synthetic Home Credit tables have the structure of the originals and a known probability of default."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.home_credit.__main__ import generate

APPLICATIONS = 6_000
CHILDREN = ["bureau", "previous_application", "POS_CASH_balance", "installments_payments", "credit_card_balance"]
REAL_SHARE = {
    "bureau": 5.6, "bureau_balance": 88, "previous_application": 5.4, "POS_CASH_balance": 33,
    "installments_payments": 44, "credit_card_balance": 12,
}  # fmt: skip
"""Rows for each application in the original, rounded."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of two chunks of applicants."""
    folder = tmp_path_factory.mktemp("home_credit")
    generate(APPLICATIONS, folder, "parquet", seed=1)
    return folder


def read(folder: Path, name: str) -> pd.DataFrame:
    """One table."""
    return pd.read_parquet(folder / f"{name}.parquet")


def test_keys_join_and_are_unique(folder: Path) -> None:
    """Foreign keys exist, primary keys are there once."""
    applicants = read(folder, "application_train")["SK_ID_CURR"]
    assert applicants.nunique() == APPLICATIONS
    for name in CHILDREN:
        assert read(folder, name)["SK_ID_CURR"].isin(applicants).all()
    credits = read(folder, "bureau")["SK_ID_BUREAU"]
    assert credits.is_unique
    assert read(folder, "bureau_balance")["SK_ID_BUREAU"].isin(credits).all()
    previous = read(folder, "previous_application")["SK_ID_PREV"]
    assert previous.is_unique
    for name in CHILDREN[2:]:
        assert read(folder, name)["SK_ID_PREV"].isin(previous).all()


def test_sizes_missing_values_and_skew_are_those_of_the_original(folder: Path) -> None:
    """Rows for each application within a fifth; some applicants without credits, few with very many."""
    for name, share in REAL_SHARE.items():
        assert len(read(folder, name)) / APPLICATIONS == pytest.approx(share, rel=0.2), name
    counts = read(folder, "bureau").groupby("SK_ID_CURR").size()
    assert 0.1 < 1 - len(counts) / APPLICATIONS < 0.2
    assert counts.max() > 5 * counts.mean()
    gaps = read(folder, "application_train").isna().mean()
    assert 0.5 < gaps["EXT_SOURCE_1"] < 0.6
    assert gaps["SK_ID_CURR"] == 0


def test_the_target_has_the_true_probability(folder: Path) -> None:
    """In each fifth of it the default rate is within four standard errors."""
    table = read(folder, "application_train").merge(read(folder, "truth"), on="SK_ID_CURR")
    for _, part in table.groupby(pd.qcut(table["PROBABILITY"], 5)):
        expected = part["PROBABILITY"].mean()
        error = (expected * (1 - expected) / len(part)) ** 0.5
        assert abs(part["TARGET"].mean() - expected) < 4 * error
    assert table["PROBABILITY"].corr(table["EXT_SOURCE_2"]) < -0.3


def test_the_same_seed_gives_the_same_tables(tmp_path: Path) -> None:
    """Byte for byte; another seed gives other tables."""
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        generate(50, tmp_path / name, seed=seed)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert (tmp_path / "one/bureau.csv").read_bytes() != (tmp_path / "three/bureau.csv").read_bytes()


def test_the_columns_are_the_originals(folder: Path) -> None:
    """In order, where HOME_CREDIT_DIR has the original tables, except two columns that its sample lacks."""
    original = os.environ.get("HOME_CREDIT_DIR")
    for name in [*CHILDREN, "bureau_balance", "application_train"]:
        columns = list(read(folder, name).columns)
        assert len(set(columns)) == len(columns)
        if original:
            expected = list(pd.read_csv(Path(original) / f"{name}.csv", nrows=0).columns)
            assert [column for column in columns if not column.startswith("RATE_INTEREST_P")] == expected
