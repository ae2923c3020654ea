"""A generated table with a known data-generating process, a model trained on it, and the findings about the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs
from sklearn.pipeline import Pipeline

from model.contract import Training
from model.loading import load_model
from model.policy import Policy
from model.session import Model
from train.bins import bin_numbers, make_bins
from train.candidates import CANDIDATES
from train.card import Card, CardDataset, CardField, CardPolicy
from train.contract import make_contract
from train.cross_validation import Fold, Trial
from train.dataset import Dataset as Rows
from train.export import draw_reference, export
from train.folds import make_random_folds
from train.holdout import split_rows
from train.judged import Judged, judge
from train.leakage import FieldStrength
from train.policy import make_policy
from train.proof import Proof
from train.quality import measure
from train.readers.describe import describe
from train.report.findings import Findings, TrainingRecord, collect_findings
from train.report.out_of_sample import OutOfSample, make_sample, predict_across_folds
from train.summary import Entry

SEED = 3
ROWS = 1200

CARD = Card(
    dataset=CardDataset(name="loans", path="loans.csv", target="outcome", default=1, source="Made here", licence="MIT"),
    fields={
        "income": CardField(
            "Income", "number", "EUR", minimum=0.0, maximum=120.0, nullable=True, risk="decreases", reason="Low income"
        ),
        "amount": CardField(
            "Amount <of> it", "number", "EUR", minimum=0.0, maximum=60.0, risk="increases", reason="High amount"
        ),
        "home": CardField(
            "Home | $housing$ 住", "category", levels=("own", "rent", "other"), nullable=True, reason="Home"
        ),
        "age": CardField("Age", "number", "years", use=False),
        "sex": CardField("Sex", "category", levels=("f", "m", "x"), use=False),
    },
    policy=CardPolicy(cost_review=0.4),
)
"""Every kind of field, a protected number and a protected category, and labels with HTML, Markdown and TeX syntax."""


@pytest.fixture(scope="session")
def card() -> Card:
    """The card of the table."""
    return CARD


@pytest.fixture(scope="session")
def protected() -> dict[str, np.ndarray]:
    """Age determines income, so it has a proxy; sex is random, and one level is smaller than MIN_GROUP_SIZE."""
    random = np.random.default_rng(SEED + 1)
    age = random.integers(18, 80, ROWS).astype(float)
    return {"age": age, "sex": random.choice([0.0, 1.0, 2.0], ROWS, p=[0.49, 0.49, 0.02])}


@pytest.fixture(scope="session")
def rows(protected: dict[str, np.ndarray]) -> Rows:
    """Applicants and outcomes."""
    random = np.random.default_rng(SEED)
    income = 10 + 0.9 * protected["age"] + random.normal(0, 10, ROWS)
    amount = random.uniform(1, 50, ROWS)
    home = random.choice([0.0, 1.0, 2.0], ROWS)
    odds = np.exp(0.06 * amount - 0.05 * income + (home == 1))
    y = (random.random(ROWS) < odds / (1 + odds)).astype(np.int64)
    income[random.random(ROWS) < 0.1] = np.nan
    return Rows(np.column_stack([income, amount, home]), y)


@pytest.fixture(scope="session")
def pipeline(rows: Rows) -> Pipeline:
    """A boosting model, fitted on the training rows."""
    fit = rows.take(split_rows(rows.y, SEED).training_rows)
    return CANDIDATES["boosting"].build(list(CARD.inputs.values()), SEED).fit(fit.X, fit.y)


@pytest.fixture(scope="session")
def out_of_sample(rows: Rows, pipeline: Pipeline, protected: dict[str, np.ndarray]) -> OutOfSample:
    """Out-of-sample predictions of all rows."""
    partition = split_rows(rows.y, SEED)
    training = rows.take(partition.training_rows)
    out_of_fold = predict_across_folds(pipeline, training, make_random_folds(training, SEED))
    return make_sample(pipeline, out_of_fold, rows, partition, protected, {})


def judge_holdout(sample: OutOfSample, policy: Policy) -> Judged:
    """A policy applied to the hold-out."""
    return judge(policy, sample.probability, sample.X).take(sample.holdout_rows)


@pytest.fixture(scope="session")
def content(rows: Rows, pipeline: Pipeline, out_of_sample: OutOfSample) -> bytes:
    """The bytes of the model file."""
    fit = rows.take(split_rows(rows.y, SEED).training_rows)
    training = Training(
        "boosting",
        len(fit.y),
        len(out_of_sample.holdout_rows),
        0.2,
        SEED,
        "d" * 64,
        "c" * 64,
        "0123abc",
        {"python": "3"},
    )
    metrics = measure(
        *out_of_sample.holdout_predictions, judge_holdout(out_of_sample, make_policy(CARD.policy))
    ).as_dict()
    contract = make_contract(CARD, training, "2026-01-02T03:04:05Z", metrics)
    contract = structs.replace(
        contract,
        bins=make_bins(contract.fields, fit.X),
        probability_bins=bin_numbers(out_of_sample.probability),
    )
    return export(describe(pipeline), contract, draw_reference(fit.X, SEED))


@pytest.fixture(scope="session")
def model(content: bytes) -> Model:
    """The loaded model."""
    return load_model(content)


@pytest.fixture(scope="session")
def findings(model: Model, content: bytes, out_of_sample: OutOfSample) -> Findings:
    """The findings about the model."""
    quality = measure(*out_of_sample.holdout_predictions, judge_holdout(out_of_sample, model.contract.policy))
    candidates = tuple(
        Entry(Trial(CANDIDATES[name], CANDIDATES[name].settings, (Fold(0.4, 0.8),)), quality)
        for name in ("logistic", "boosting")
    )
    strengths = tuple(FieldStrength(name, 0.6, "") for name in CARD.inputs)
    left_out = {name: field.note for name, field in CARD.fields.items() if not field.use} | {
        "branch": "Not used: a code."
    }
    trained = TrainingRecord(candidates, Proof(rows=1000), strengths, left_out)
    return collect_findings(model, len(content), CARD, out_of_sample, trained)


@pytest.fixture(scope="session")
def findings_over_time(model: Model, findings: Findings, out_of_sample: OutOfSample) -> Findings:
    """The same model, as if the hold-out were the applications of 2007, and the others of 2001 to 2006."""
    years = np.random.default_rng(SEED).integers(2001, 2007, ROWS)
    years[out_of_sample.holdout_rows] = 2007
    time = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    sample = replace(out_of_sample, time=time, segments={"home": out_of_sample.X[:, 2]})
    found = collect_findings(model, findings.n_bytes, CARD, sample, findings.trained)
    training = structs.replace(found.contract.training, time="applied", since="2007-01-01")
    return replace(found, contract=structs.replace(found.contract, training=training))


@pytest.fixture(scope="session")
def findings_on_new(model: Model, findings: Findings, out_of_sample: OutOfSample) -> Findings:
    """The same model on applications that it wasn't trained on."""
    sample = replace(out_of_sample, holdout_rows=np.arange(ROWS))
    return collect_findings(model, findings.n_bytes, CARD, sample)
