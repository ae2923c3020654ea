"""The tables for the tests of features: synthetic ones, and the real ones if HOME_CREDIT_DIR names them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.home_credit.__main__ import generate
from train.features.application import FILE
from train.features.compute import compute, find_sources
from train.features.engines import DuckDB, Engine

APPLICATIONS = 600

ComputeIn = Callable[[Path, Engine, Path], pd.DataFrame]


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 synthetic applications with their rows in the six other tables."""
    folder = tmp_path_factory.mktemp("synthetic")
    generate(APPLICATIONS, folder)
    return folder


@pytest.fixture(scope="session")
def tables(synthetic: Path) -> Path:
    """The folder that HOME_CREDIT_DIR names, otherwise the synthetic one."""
    return Path(os.environ.get("HOME_CREDIT_DIR") or synthetic)


def compute_table(folder: Path, engine: Engine, scratch: Path) -> pd.DataFrame:
    """All features of a folder, including near-duplicates, indexed by id, without the target."""
    sources = find_sources(folder, FILE, [], needs_target=True)
    computed = compute(sources, None, engine, scratch, lambda title: None)
    columns = ["SK_ID_CURR", "TARGET", *computed.fields]
    table: pd.DataFrame = pa.concat_tables(computed.stored.batches(columns)).to_pandas()
    return table.set_index("SK_ID_CURR").drop(columns="TARGET")


@pytest.fixture(scope="session")
def in_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], pd.DataFrame]:
    """The features of a folder, computed in DuckDB."""

    def run(folder: Path) -> pd.DataFrame:
        scratch = tmp_path_factory.mktemp("duckdb")
        engine = DuckDB(scratch / "spill", "1GB")
        try:
            return compute_table(folder, engine, scratch)
        finally:
            engine.close()

    return run
