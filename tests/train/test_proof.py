"""The proof must be able to fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from sklearn.pipeline import Pipeline

from model.contract import Training
from model.loading import load_model
from model.session import Model
from train.__main__ import main
from train.candidates import CANDIDATES
from train.card import Card, CardPolicy, read_card
from train.dataset import Dataset, encode
from train.describe import describe
from train.errors import TrainingError
from train.export import draw_reference, export
from train.holdout import split
from train.infer import infer_card
from train.policy import make_policy
from train.proof import GENERATED_ROWS, TOLERANCE, Proof, prove
from train.table import read_table


@pytest.fixture(scope="module")
def data(credit_card: Path) -> Dataset:
    """credit_data, encoded."""
    card = read_card(credit_card)
    return encode(read_table(credit_card.parent / card.dataset.path), card)


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def fitted(
    request: pytest.FixtureRequest, credit_card: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Pipeline, Model]:
    """A pipeline on credit_data and the model that `python -m train` makes of it."""
    out = tmp_path_factory.mktemp(request.param)
    assert 0 == main([str(credit_card), "--model", request.param, "--out", str(out)])
    card = read_card(credit_card)
    data = encode(read_table(credit_card.parent / card.dataset.path), card)
    fit = data.take(split(data.y, 0).fit)
    pipeline = CANDIDATES[request.param].build(list(card.inputs.values()), 0).fit(fit.X, fit.y)
    return pipeline, load_model(out / "model.onnx")


def test_an_exact_export_is_proven_on_data_generated_rows_and_splits(
    fitted: tuple[Pipeline, Model], data: Dataset
) -> None:
    """Every row of the data, 100,000 generated ones and the hard ones: within 1e-12, no decision differs."""
    pipeline, model = fitted

    proof = prove(pipeline, model, data.X, seed=0)

    assert proof.rows > len(data.y) + GENERATED_ROWS
    assert proof.largest_difference <= TOLERANCE
    assert 0 == proof.decisions_differ


def test_a_pipeline_that_is_off_by_a_little_is_caught(fitted: tuple[Pipeline, Model], data: Dataset) -> None:
    """A change in the eleventh digit of one constant stops the export."""
    pipeline, model = fitted
    classifier = pipeline.steps[-1][1]
    name = "intercept_" if hasattr(classifier, "intercept_") else "_baseline_prediction"
    was = getattr(classifier, name)
    setattr(classifier, name, was + 1e-10)
    try:
        with pytest.raises(TrainingError, match="differs from its pipeline by up to"):
            prove(pipeline, model, data.X, seed=0)
    finally:
        setattr(classifier, name, was)


@pytest.mark.parametrize("fitted", ["boosting"], indirect=True)
def test_one_split_off_by_an_ulp_is_caught(fitted: tuple[Pipeline, Model], data: Dataset) -> None:
    """Rows placed on and beside the splits see what no real row would."""
    pipeline, model = fitted
    numbers = len(pipeline.steps[0][1].transformers[0][2])
    trees = [predictor.nodes for (predictor,) in pipeline.steps[-1][1]._predictors]
    nodes = next(nodes for nodes in trees if nodes["feature_idx"][0] < numbers)
    was = nodes["num_threshold"][0]
    nodes["num_threshold"][0] = np.nextafter(was, np.inf)
    try:
        with pytest.raises(TrainingError, match="differs from its pipeline"):
            prove(pipeline, model, data.X, seed=0)
    finally:
        nodes["num_threshold"][0] = was


def test_other_thresholds_are_caught(fitted: tuple[Pipeline, Model], data: Dataset) -> None:
    """Probabilities right, decisions not: no artifact either."""
    pipeline, model = fitted
    contract = structs.replace(model.contract, policy=make_policy(CardPolicy(4.0, 1.0)))
    other = structs.replace(model, contract=contract)

    with pytest.raises(TrainingError, match=r"in [1-9][0-9]* decisions"):
        prove(pipeline, other, data.X, seed=0)


def export_and_prove(card: Card, data: Dataset, kind: str, iterations: dict[str, int]) -> Proof:
    """Fit a candidate on the training part, export it and prove it on all rows."""
    fit = data.take(split(data.y, 0).fit)
    pipeline = CANDIDATES[kind].build(list(card.inputs.values()), 0).set_params(**iterations).fit(fit.X, fit.y)
    training = Training(kind, len(fit.y), 0, None, 0, "data", "card", "commit", {})
    contract = describe(card, training, "2026-01-02T03:04:05Z", {})
    model = load_model(export(pipeline, contract, draw_reference(fit.X, 0)))
    return prove(pipeline, model, data.X, seed=0)


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_a_wide_table_without_a_card_is_exported_exactly(wide_table: Path, kind: str) -> None:
    """122 columns, 16 of them texts, many gaps: the graph equals the pipeline on every real row."""
    table = read_table(wide_table)
    card = infer_card(table, "TARGET", "SK_ID_CURR", None)

    proof = export_and_prove(card, encode(table, card), kind, {})

    assert 120 == len(card.inputs)
    assert proof.largest_difference <= TOLERANCE
    assert 0 == proof.decisions_differ


@pytest.mark.parametrize(
    ("kind", "trees"), [("lightgbm", "n_estimators"), ("xgboost", "n_estimators"), ("catboost", "iterations")]
)
def test_the_boosters_of_other_libraries_are_exported_exactly(
    credit_card: Path, data: Dataset, kind: str, trees: str
) -> None:
    """On every row of credit_data, generated rows and splits; only XGBoost itself rounds, in float32."""
    proof = export_and_prove(read_card(credit_card), data, kind, {f"classify__{trees}": 60})

    assert proof.largest_difference <= TOLERANCE
    assert 0 == proof.decisions_differ
    assert (kind == "xgboost") is (proof.library_rounding > 0)
