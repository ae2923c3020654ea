"""What tests of every stage share: the embedded table, small ones whose truth is known, and a small real model."""

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
from onnx import ModelProto
from sklearn.pipeline import Pipeline

from deploy.local import run_local_service
from model.checksum import CHECKSUM_KEY, append_checksum
from model.contract import CONTRACT_VERSION, Contract, Field, Golden, Training
from model.loading import load_model
from model.session import Matrix, Model
from tests.postgres_server import PostgresServer, find_programs
from tests.tools import skip_without
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, CardPolicy
from train.contract import make_fields
from train.export import draw_reference, export
from train.export.golden import draw_applicants
from train.policy import make_policy
from train.readers.describe import describe

# A time limit on examples would make tests fail at random: the first example of a process includes slow imports.
# Half of the default number of examples, so that `make test` stays short.
settings.register_profile("short", deadline=None, max_examples=50)
settings.load_profile("short")

ROOT = Path(__file__).resolve().parent.parent

SEED = 5
ROWS = 400

CARD = Card(
    dataset=CardDataset(name="test", path="test.csv", target="default", default=1),
    fields={
        "Amount": CardField("Amount of the loan", "number", "EUR", minimum=0.0, maximum=100.0, reason="High amount"),
        "Income": CardField("Income", "number", minimum=0.0, nullable=True, reason="Low income"),
        "Home": CardField("Housing", "category", levels=("own", "rent", "other"), nullable=True, reason="Rented home"),
        "Client": CardField("Client already", "category", levels=("False", "True"), reason="New client"),
        "Debt/Income~12m": CardField("Debt to income", "number", minimum=0.0, maximum=2.0, reason="High debt"),
    },
    policy=CardPolicy(cost_review=0.4),
)
"""Every kind of field: bounded or not, nullable or not, text and boolean levels, a name that JSON pointers escape."""


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
    with run_local_service() as base:
        yield base


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process."""
    try:
        find_programs()
    except FileNotFoundError:
        skip_without("PostgreSQL server")
    with PostgresServer(is_synced=False) as server:
        yield server


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The DECISIONS_URL of an empty PostgreSQL database."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


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
    """Number and text with missing values, number without, boolean, id, and a target that depends on them."""
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
    """The Home Credit application table where HOME_CREDIT_DIR has it, else one of its shape: 122 columns, many missing
    values."""
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


@pytest.fixture(scope="session")
def fields() -> tuple[Field, ...]:
    """The fields of the model, in order."""
    return tuple(make_fields(CARD))


@pytest.fixture(scope="session")
def training_rows(fields: tuple[Field, ...]) -> Matrix:
    """The applicants that the pipeline was trained on: float64, shape (400, 5)."""
    return draw_applicants(list(fields), ROWS, SEED)


@pytest.fixture(scope="session")
def pipeline(training_rows: Matrix) -> Pipeline:
    """The pipeline that the model was exported from."""
    amount, income, home, is_client, debt = np.nan_to_num(training_rows, nan=0.0).T
    odds = np.exp(0.08 * (amount - 60) - 0.004 * (income - 500) + (home == 1) - is_client + 2 * (debt - 1))
    y = (np.random.default_rng(SEED).random(ROWS) < odds / (1 + odds)).astype(int)
    return CANDIDATES["logistic"].build(list(CARD.inputs.values()), SEED).fit(training_rows, y)


@pytest.fixture(scope="session")
def content(pipeline: Pipeline, fields: tuple[Field, ...], training_rows: Matrix) -> bytes:
    """The bytes of the model file."""
    training = Training("logistic", ROWS, 0, 0.5, SEED, "data", "card", "commit", {"scikit-learn": "1"})
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name=CARD.dataset.name,
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=fields,
        policy=make_policy(CARD.policy),
        base_value=0.0,
        training=training,
        metrics={"auc": 0.875, "brier": 0.125},
        golden=Golden((), (), ()),
    )
    return export(describe(pipeline), contract, draw_reference(training_rows, SEED))


@pytest.fixture(scope="session")
def append_valid_checksum() -> Callable[[ModelProto], bytes]:
    """Append a valid checksum to a graph that a test has altered, so that the checks after that of the checksum run."""

    def write(altered: ModelProto) -> bytes:
        kept = [entry for entry in altered.metadata_props if entry.key != CHECKSUM_KEY.decode()]
        del altered.metadata_props[:]
        altered.metadata_props.extend(kept)
        return append_checksum(altered.SerializeToString(deterministic=True))

    return write


@pytest.fixture(scope="session")
def model(content: bytes) -> Model:
    """The loaded model."""
    return load_model(content)


@pytest.fixture(scope="session")
def applicants(fields: tuple[Field, ...]) -> Matrix:
    """Applicants with missing values, for the graph: float64, shape (64, 5)."""
    return draw_applicants(list(fields), 64, SEED + 1)
