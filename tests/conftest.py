"""What tests of every stage share: the embedded table, and a small one whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before scikit-learn is imported: tests run side by side, and threads that wait for a busy core spin.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from deploy.local import running_service

# The first example of a process pays for lazy imports; a time limit on examples would make tests flicker.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def credit_card(root: Path) -> Path:
    """The dataset card of credit_data."""
    return root / "data" / "credit_data.toml"


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The address of a running service around the artifact of the checkout."""
    with running_service() as base:
        yield base


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    """Write a small, learnable CSV; keyword arguments replace or add columns, a None removes one."""

    def write(rows: int = 300, **columns: Any) -> Path:
        path = tmp_path / "loans.csv"
        frame = small_table(rows)
        for name, values in columns.items():
            frame = frame.drop(columns=name) if values is None else frame.assign(**{name: values})
        frame.to_csv(path, index=False)
        return path

    return write


def small_table(rows: int) -> pd.DataFrame:
    """Number with gaps, number, text with gaps, boolean, id, and a target that depends on them."""
    random = np.random.default_rng(7)
    income, amount = random.uniform(10, 100, rows).round(1), random.uniform(1, 50, rows).round(2)
    home = random.choice(["own", "rent", "other"], rows)
    odds = np.exp(0.06 * amount - 0.05 * income + (home == "rent"))
    return pd.DataFrame(
        {
            "number": np.arange(rows),
            "income": np.where(random.random(rows) < 0.1, np.nan, income),
            "amount": amount,
            "home": np.where(random.random(rows) < 0.1, "", home),
            "is_client": random.random(rows) < 0.5,
            "outcome": (random.random(rows) < odds / (1 + odds)).astype(int),
        }
    )


@pytest.fixture(scope="session")
def wide_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Home Credit application table where HOME_CREDIT_DIR has it, else one of its shape: 122 columns, many gaps."""
    if folder := os.environ.get("HOME_CREDIT_DIR"):
        return Path(folder) / "application_train.csv"
    random = np.random.default_rng(11)
    rows, numbers, texts = 1000, 104, 16
    X = random.lognormal(3, 3, (rows, numbers)) * random.choice([-1, 1], numbers)
    signal = np.log(np.abs(X[:, 0])) - np.log(np.abs(X[:, 1]))
    X[random.random(X.shape) < random.uniform(0, 0.7, numbers)] = np.nan
    frame = pd.DataFrame(X, columns=[f"AMT_{i}" for i in range(numbers)])
    for i in range(texts):
        levels = [f"level {k}" for k in range(2 + 3 * i)]
        frame[f"NAME_{i}"] = np.where(random.random(rows) < 0.3, "", random.choice(levels, rows))
    frame.insert(0, "SK_ID_CURR", np.arange(100001, 100001 + rows))
    frame.insert(1, "TARGET", (signal + random.normal(0, 3, rows) > 5).astype(int))
    path = tmp_path_factory.mktemp("wide") / "application_train.csv"
    frame.to_csv(path, index=False)
    return path
