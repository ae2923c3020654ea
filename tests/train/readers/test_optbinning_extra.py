"""WOE binning of optbinning, which runs in an environment of its own, because it needs an older protobuf than onnx."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.train.readers.exports import load_export
from train.dataset import Matrix
from train.fitted.model import FittedModel
from train.importing.older import Environment, build_environment
from train.importing.remote import Process
from train.proof import prove
from train.readers.describe import describe

ROUNDING = 1e-12

FIT = """
import pickle, sys
import numpy as np
import pandas as pd
from optbinning import BinningProcess, Scorecard
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

random = np.random.default_rng(0)
rows = 1500
table = pd.DataFrame({
    "income": random.normal(size=rows),
    "debt": random.normal(size=rows).round(3),
    "age": random.integers(-9, 9, rows).astype(float),
    "home": random.choice(["own", "rent", "other", "van"], rows, p=[0.5, 0.3, 0.15, 0.05]).astype(object),
    "code": random.choice([1, 2, 5], rows),
})
y = (table["income"] + (table["home"] == "own") + (table["code"] == 5) + random.normal(size=rows) > 1).astype(int)
table.loc[random.random(rows) < 0.1, "debt"] = np.nan
table.loc[random.random(rows) < 0.05, "debt"] = -7.0
table.loc[random.random(rows) < 0.1, "home"] = None


def bin_columns(**options):
    return BinningProcess([*table.columns], categorical_variables=["home", "code"], **options)


def make_scorecard(special, missing, **options):
    card = Scorecard(bin_columns(**options), LogisticRegression())
    return card.fit(table, y, metric_special=special, metric_missing=missing)


models = {
    "scorecard": make_scorecard(0, 0),
    "empirical scorecard": make_scorecard("empirical", "empirical", special_codes={"none": -7, "more": [-8, -9]}),
    "stated scorecard": make_scorecard(0.25, "empirical", special_codes=[-7]),
    "pipeline": Pipeline([("bins", bin_columns(
        selection_criteria={"iv": {"min": 0.01}},
        binning_transform_params={"debt": {"metric_missing": "empirical"}, "home": {"metric": "event_rate"}},
    )), ("model", LogisticRegression())]).fit(table, y),
}
table.to_csv(sys.argv[2], index=False)
probabilities = {name: model.predict_proba(table)[:, 1] for name, model in models.items()}
with open(sys.argv[1], "wb") as file:
    pickle.dump((models, probabilities), file)
"""

NAMES = ["scorecard", "empirical scorecard", "stated scorecard", "pipeline"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any], pd.DataFrame]:
    """Models, the probabilities that they gave when they were fitted, and the table."""
    folder = tmp_path_factory.mktemp("optbinning")
    pickled, table = folder / "models.pkl", folder / "table.csv"
    python = build_environment(pickled, Environment("optbinning==1.0.0\n", "3.12"))
    subprocess.run([str(python), "-W", "ignore", "-c", FIT, str(pickled), str(table)], check=True)
    models, probabilities = Process(Path(python)).load(pickled)
    return models, probabilities, pd.read_csv(table)


def encode(described: FittedModel, table: pd.DataFrame) -> Matrix:
    """The same applicants as the graph takes them."""
    columns = [
        table[one.name].map({level: float(number) for number, level in enumerate(one.levels)})
        if one.levels
        else table[one.name]
        for one in described.inputs
    ]
    return np.column_stack(columns).astype(np.float64)


@pytest.mark.parametrize("name", NAMES)
def test_export_is_exact(fitted: tuple[dict[str, Any], dict[str, Any], pd.DataFrame], name: str) -> None:
    """Numbers, words and numbers as categories, special codes, missing and unknown values, an ulp beside each split."""
    models, probabilities, table = fitted
    described = describe(models[name])
    applicants = encode(described, table)
    np.testing.assert_allclose(described.probability(applicants), probabilities[name], atol=ROUNDING, rtol=0)
    prove(described, load_export(described, applicants), applicants, seed=0)


def test_words_are_levels(fitted: tuple[dict[str, Any], dict[str, Any], pd.DataFrame]) -> None:
    """Categories that are numbers stay numbers; numeric special codes are no levels of words."""
    inputs = {one.name: one for one in describe(fitted[0]["stated scorecard"]).inputs}
    assert (set(inputs["home"].levels), inputs["home"].is_open) == ({"own", "rent", "other", "van"}, True)
    assert inputs["code"].levels == ()


def test_another_target_is_refused() -> None:
    """The bins of a regression have means."""

    class ContinuousOptimalBinning:
        dtype = "numerical"

    class BinningProcess:
        variable_names = ("income",)
        binning_transform_params = None
        _binned_variables = {"income": ContinuousOptimalBinning()}  # noqa: RUF012
        n_features_in_ = 1

        def get_support(self) -> Matrix:
            return np.array([True])

    class Pipeline:
        steps = (("bins", BinningProcess()), ("model", None))

    with pytest.raises(ValueError, match="the binning of income is a ContinuousOptimalBinning"):
        describe(Pipeline())
