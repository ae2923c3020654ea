"""Both databases, and a model file with the bins of its training applicants, for the tests of monitor/."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from sklearn.pipeline import Pipeline

from model.contract import Golden
from model.loading import load_model
from model.session import Matrix, Model
from train.bins import bin_numbers, make_bins
from train.export import draw_reference, export
from train.readers.describe import describe


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/decisions.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture(scope="session")
def binned_content(pipeline: Pipeline, model: Model, training_rows: Matrix) -> bytes:
    """The bytes of a model file with bins."""
    contract = replace(
        model.contract,
        golden=Golden((), (), ()),
        bins=make_bins(model.contract.fields, training_rows),
        probability_bins=bin_numbers(model.score(training_rows).probability),
    )
    return export(describe(pipeline), contract, draw_reference(training_rows, contract.training.seed))


@pytest.fixture(scope="session")
def binned(binned_content: bytes) -> Model:
    """The loaded model with bins."""
    return load_model(binned_content)
