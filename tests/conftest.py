"""What tests of every stage share: the embedded table, small ones whose truth is known, and a small real model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

# Before scikit-learn is imported: tests run side by side, and threads that wait for a busy core spin.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from msgspec import structs
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
from train.card_rules import CardCondition, CardRule, Multiple
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

MONEY_POLICY = CardPolicy(
    exposure="Income",
    lgd=0.45,
    margin=0.3,
    cost_review=40.0,
    rules=(
        CardRule(
            "Debt over the limit",
            "refuse",
            "The debt is above 1.8 incomes",
            date(2026, 11, 1),
            all=(CardCondition("Debt/Income~12m", above=1.8),),
        ),
        CardRule(
            "Large amount",
            "review",
            "The amount is above 90 EUR, or above half of the income",
            any=(CardCondition("Amount", above=90.0), CardCondition("Amount", above=Multiple(0.5, "Income"))),
        ),
        CardRule(
            "New client who rents",
            "review",
            "A new client with a rented home is looked at by a person",
            all=(CardCondition("Home", is_in=("rent",)), CardCondition("Client", is_in=("False",))),
        ),
    ),
)

MONEY_CARD = structs.replace(
    CARD,
    fields={
        name: structs.replace(field, changeable=name in ("Amount", "Debt/Income~12m"))
        for name, field in CARD.fields.items()
    },
    policy=MONEY_POLICY,
)
"""Decides by expected profit, unknown where the income is missing, and by rules that can hold together."""


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: tests of services, browsers and databases wait as long as they compute."""
    return (os.cpu_count() or 1) + 1


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
    frame["AMT_5"] = np.where(random.random(rows) < 0.18, 365243, -random.integers(1, 15_000, rows))
    protected = {"AMT_2": "CNT_CHILDREN", "AMT_3": "DAYS_BIRTH", "AMT_4": "CNT_FAM_MEMBERS"}
    protected |= {"NAME_0": "CODE_GENDER", "NAME_1": "NAME_FAMILY_STATUS"}
    frame = frame.rename(columns=protected | {"AMT_5": "DAYS_EMPLOYED"})
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
    return _fit(training_rows)


@pytest.fixture(scope="session")
def content(pipeline: Pipeline, training_rows: Matrix) -> bytes:
    """The bytes of the model file."""
    return _export(pipeline, CARD, training_rows)


@pytest.fixture(scope="session")
def money_content() -> bytes:
    """The bytes of a model file of MONEY_CARD."""
    rows = draw_applicants(make_fields(CARD), ROWS, SEED)
    return _export(_fit(rows), MONEY_CARD, rows)


@pytest.fixture(scope="session")
def money_model(money_content: bytes) -> Model:
    """The loaded model of `money_content`."""
    return load_model(money_content)


@pytest.fixture(scope="session")
def money_path(money_content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`money_content` as a file."""
    path = tmp_path_factory.mktemp("money") / "model.onnx"
    path.write_bytes(money_content)
    return path


@pytest.fixture(scope="session")
def money_service(money_path: Path) -> Iterator[str]:
    """The address of a running service around `money_content`."""
    with run_local_service(MODEL_PATH=str(money_path)) as base:
        yield base


@pytest.fixture(scope="session")
def money_applicants() -> Matrix:
    """Applicants for `money_model`, some of whom have no income: float64, shape (64, 5)."""
    return draw_applicants(make_fields(CARD), 64, SEED + 1)


def _fit(rows: Matrix) -> Pipeline:
    amount, income, home, is_client, debt = np.nan_to_num(rows, nan=0.0).T
    odds = np.exp(0.08 * (amount - 60) - 0.004 * (income - 500) + (home == 1) - is_client + 2 * (debt - 1))
    y = (np.random.default_rng(SEED).random(ROWS) < odds / (1 + odds)).astype(int)
    return CANDIDATES["logistic"].build(list(CARD.inputs.values()), SEED).fit(rows, y)


def _export(pipeline: Pipeline, card: Card, rows: Matrix) -> bytes:
    training = Training("logistic", ROWS, 0, 0.5, SEED, "data", "card", "commit", {"scikit-learn": "1"})
    contract = Contract(
        contract_version=CONTRACT_VERSION,
        name=card.dataset.name,
        version="2026.01.02-abcdef01",
        trained_at="2026-01-02T03:04:05Z",
        fields=tuple(make_fields(card)),
        policy=make_policy(card.policy, card.inputs, rows),
        base_value=0.0,
        training=training,
        metrics={"auc": 0.875, "brier": 0.125},
        golden=Golden((), (), ()),
    )
    return export(describe(pipeline), contract, draw_reference(rows, SEED))


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
