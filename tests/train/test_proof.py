"""The check of the export: it passes exact exports of every candidate, and fails for the smallest differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from sklearn.pipeline import Pipeline

from model.contract import Training
from model.inputs import Input
from model.loading import load_model
from model.rules import Compares, Rule
from model.session import Model
from train import proof_rows
from train.candidates import CANDIDATES
from train.card import Card, CardPolicy, read_card
from train.card_inference import Choices, infer_card
from train.contract import make_contract
from train.dataset import Dataset, Matrix, encode_table
from train.errors import TrainingError
from train.export import draw_reference, export
from train.holdout import split_rows
from train.policy import make_policy
from train.proof import TOLERANCE, prove
from train.readers.describe import describe
from train.table import read_table

NAMES = [candidate.name for candidate in CANDIDATES.values() if not candidate.is_optional]


def fit_and_export(card: Card, data: Dataset, name: str, settings: dict[str, int]) -> tuple[Pipeline, Model]:
    """Fit a candidate on the training rows, and load its export."""
    fit = data.take(split_rows(data.y, 0).training_rows)
    pipeline = CANDIDATES[name].build(list(card.inputs.values()), 0, {**settings}).fit(fit.X, fit.y)
    training = Training(name, len(fit.y), 0, None, 0, "data", "card", "commit", {})
    contract = make_contract(card, training, "2026-01-02T03:04:05Z", {})
    return pipeline, load_model(export(describe(pipeline), contract, draw_reference(fit.X, 0)))


@pytest.fixture(scope="module")
def data(credit_card: Path) -> Dataset:
    """credit_data, encoded."""
    card = read_card(credit_card)
    return encode_table(read_table(credit_card.parent / card.dataset.path), card)


@pytest.fixture(scope="module", params=NAMES)
def fitted(request: pytest.FixtureRequest, credit_card: Path, data: Dataset) -> tuple[Pipeline, Model]:
    """A candidate fitted on credit_data, and its exported model."""
    return fit_and_export(read_card(credit_card), data, request.param, {})


@pytest.fixture(scope="module")
def few(data: Dataset) -> Matrix:
    """200 applicants, enough to find a difference."""
    return data.X[:200]


def test_every_candidate_is_exported_exactly(fitted: tuple[Pipeline, Model], data: Dataset) -> None:
    """On all rows of credit_data, generated ones and those at the splits, within 1e-12 and without another decision."""
    pipeline, model = fitted

    proof = prove(describe(pipeline), model, data.X, seed=0)

    assert proof.rows > len(data.y) + proof_rows.GENERATED_ROWS
    assert proof.largest_difference <= TOLERANCE
    assert proof.decisions_differ == 0


@pytest.mark.parametrize("fitted", ["logistic", "boosting"], indirect=True)
def test_a_difference_in_the_eleventh_digit_is_found(fitted: tuple[Pipeline, Model], few: Matrix) -> None:
    """Of one constant of the fitted classifier."""
    pipeline, model = fitted
    classifier = pipeline.steps[-1][1]
    name = "intercept_" if hasattr(classifier, "intercept_") else "_baseline_prediction"
    original = getattr(classifier, name)
    setattr(classifier, name, original + 1e-10)
    try:
        with pytest.raises(TrainingError, match="differs from its pipeline by up to"):
            prove(describe(pipeline), model, few, seed=0)
    finally:
        setattr(classifier, name, original)


@pytest.mark.parametrize("fitted", ["boosting"], indirect=True)
def test_one_split_off_by_an_ulp_is_found(fitted: tuple[Pipeline, Model], few: Matrix) -> None:
    """By the rows placed on and beside the splits; no real row shows it."""
    pipeline, model = fitted
    numbers = len(pipeline.steps[0][1].transformers[0][2])
    trees = [predictor.nodes for (predictor,) in pipeline.steps[-1][1]._predictors]
    nodes = next(nodes for nodes in trees if nodes["feature_idx"][0] < numbers)
    original = nodes["num_threshold"][0]
    nodes["num_threshold"][0] = np.nextafter(original, np.inf)
    try:
        with pytest.raises(TrainingError, match="differs from its pipeline"):
            prove(describe(pipeline), model, few, seed=0)
    finally:
        nodes["num_threshold"][0] = original


def test_other_thresholds_are_found(fitted: tuple[Pipeline, Model], few: Matrix) -> None:
    """Equal probabilities with other decisions fail too."""
    pipeline, model = fitted
    contract = structs.replace(model.contract, policy=make_policy(CardPolicy(4.0, 1.0)))
    other = structs.replace(model, contract=contract)

    with pytest.raises(TrainingError, match=r"in [1-9][0-9]* decisions.*nothing was written: please open an issue"):
        prove(describe(pipeline), other, few, seed=0)


@pytest.mark.parametrize("fitted", ["logistic"], indirect=True)
def test_a_rule_that_the_graph_lacks_is_found(fitted: tuple[Pipeline, Model], few: Matrix) -> None:
    """Also one whose limit no real row comes near: there are rows at it."""
    pipeline, model = fitted
    names = [field.name for field in model.contract.fields]
    rule = Rule("far", "refuse", "reason", Compares(Input("Amount", names.index("Amount")), "at_most", -1e90))
    policy = structs.replace(model.contract.policy, rules=(rule,))
    other = structs.replace(model, contract=structs.replace(model.contract, policy=policy))

    with pytest.raises(TrainingError, match=r"in [1-9][0-9]* decisions"):
        prove(describe(pipeline), other, few, seed=0)


@pytest.mark.parametrize(("name", "settings"), [("logistic", {}), ("boosting", {"max_iter": 20})])
def test_a_wide_table_without_a_card_is_exported_exactly(wide_table: Path, name: str, settings: dict[str, int]) -> None:
    """122 columns, 16 of them texts, with many missing values."""
    table = read_table(wide_table)
    card = infer_card(table, Choices("TARGET", "SK_ID_CURR"))
    data = encode_table(table, card)
    pipeline, model = fit_and_export(card, data, name, settings)

    proof = prove(describe(pipeline), model, data.X, seed=0)

    constant = [name for name, field in card.fields.items() if "a constant" in field.note]
    assert len(card.fields) == 120
    protected = {"CODE_GENDER", "CNT_CHILDREN", "NAME_FAMILY_STATUS", "DAYS_BIRTH", "CNT_FAM_MEMBERS"}
    assert card.fields.keys() - card.inputs.keys() == protected | set(constant)
    assert card.fields["DAYS_EMPLOYED"].missing == (365243.0,)
    assert proof.largest_difference <= TOLERANCE
    assert proof.decisions_differ == 0
