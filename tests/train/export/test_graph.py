"""The exported graph gives the same answers as the fitted pipeline, for any fit and any input."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.pipeline import Pipeline

from model.policy import Policy
from train.candidates import CANDIDATES
from train.card import CardField, CardPolicy
from train.dataset import Matrix
from train.export import MAX_ROWS, MIN_ROWS, count_rows_at_once, graph
from train.export.graph import serialize
from train.policy import make_policy
from train.proof import TOLERANCE
from train.readers.describe import describe

KINDS = sorted(name for name, candidate in CANDIDATES.items() if not candidate.requires)
"""Boosting libraries: test_boosters_extra.py."""

POLICY = make_policy(CardPolicy(5.0, 1.0, 0.4))
NUMBER = CardField(label="n", kind="number", nullable=True, risk="increases")
CATEGORY = CardField(label="c", kind="category", levels=("a", "b", "c"), nullable=True)
STRICT = CardField(label="s", kind="category", levels=("a", "b"))
MIXES = {
    "numbers": [NUMBER, NUMBER],
    "categories": [CATEGORY, STRICT],
    "mixed": [CATEGORY, NUMBER, STRICT, NUMBER],
    "one number": [NUMBER],
}


def draw(fields: list[CardField], rows: int, seed: int) -> Matrix:
    """Random rows for these fields, with missing values in nullable ones."""
    random = np.random.default_rng(seed)
    columns = []
    for field in fields:
        column = random.integers(0, len(field.levels), rows) if field.levels else random.normal(0, 3, rows).round(2)
        columns.append(np.where((random.random(rows) < 0.15) & field.nullable, np.nan, column))
    return np.column_stack(columns)


def fit(kind: str, fields: list[CardField], seed: int) -> Pipeline:
    """A candidate's pipeline, fitted on rows whose outcome depends on the first field."""
    X = draw(fields, 200, seed)
    y = (np.nan_to_num(X[:, 0]) + np.random.default_rng(seed).normal(size=200) > 0.5).astype(int)
    pipeline = CANDIDATES[kind].build(fields, seed)
    few = {"boosting": {"classify__max_iter": 20}, "scorecard": {"classify__rounds": 20}}
    pipeline.set_params(**few.get(kind, {}))
    return pipeline.fit(X, y)


def convert(pipeline: Pipeline, policy: Policy) -> onnx.ModelProto:
    """The graph, with a reference population of one row."""
    return graph.convert(describe(pipeline), policy, np.zeros((1, pipeline.n_features_in_)))


def load(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session of a graph."""
    return onnxruntime.InferenceSession(serialize(model), providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto, applicants: Matrix) -> list[np.ndarray]:
    """Probability and decision of a graph."""
    answers: list[np.ndarray] = load(model).run(["probability", "decision"], {"applicants": applicants})
    return answers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mix", sorted(MIXES))
def test_every_mix_of_fields_is_exported_exactly(kind: str, mix: str) -> None:
    """Numbers, categories and missing values: probability within 1e-12, no decision differs."""
    pipeline = fit(kind, MIXES[mix], 1)
    applicants = draw(MIXES[mix], 5000, 2)

    probability, decision = run(convert(pipeline, POLICY), applicants)

    expected = pipeline.predict_proba(applicants)[:, 1]
    np.testing.assert_allclose(probability, expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(decision, POLICY.decide(expected, applicants))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    kind=st.sampled_from(KINDS),
    mix=st.sampled_from(sorted(MIXES)),
    extremes=arrays.arrays(
        np.float64, 8, elements=st.floats(-1e100, 1e100, allow_subnormal=True) | st.just(float("nan"))
    ),
)
def test_any_fit_and_any_number_agree(seed: int, kind: str, mix: str, extremes: Matrix) -> None:
    """Numbers up to ±1e100, subnormal numbers, and NaN."""
    fields = MIXES[mix]
    pipeline = fit(kind, fields, seed)
    applicants = draw(fields, 8, seed + 1)
    for column, field in enumerate(fields):
        if field.kind == "number":
            applicants[:, column] = extremes
            break

    probability, _ = run(convert(pipeline, POLICY), applicants)

    np.testing.assert_allclose(probability, pipeline.predict_proba(applicants)[:, 1], rtol=0, atol=TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), mix=st.sampled_from(sorted(MIXES)), size=st.integers(1, 70))
def test_an_applicant_gets_the_same_bits_alone_and_in_any_batch(seed: int, mix: str, size: int) -> None:
    """For logistic regression; test_log_odds_lookup.py tests trees."""
    pipeline = fit("logistic", MIXES[mix], seed)
    session, applicants = load(convert(pipeline, POLICY)), draw(MIXES[mix], size, seed + 1)

    (together,) = session.run(["probability"], {"applicants": applicants})

    assert together.tolist() == [
        session.run(["probability"], {"applicants": row[None]})[0].item() for row in applicants
    ]


@given(columns=st.integers(1, 5_000), trees=st.integers(0, 10_000))
def test_the_batch_size_falls_with_the_size_of_the_graph(columns: int, trees: int) -> None:
    """It is a multiple of 16 within its limits."""
    rows = count_rows_at_once(columns, trees)

    assert rows % 16 == 0
    assert MIN_ROWS <= rows <= MAX_ROWS
    assert rows >= count_rows_at_once(columns + 1, trees)
    assert count_rows_at_once(columns, 0) >= rows >= count_rows_at_once(columns, trees + 1)


def test_an_unknown_level_has_no_column() -> None:
    """All one-hot columns are 0, in the pipeline and in the graph."""
    pipeline = fit("logistic", MIXES["categories"], 3)
    applicants = np.array([[7.0, 1.0], [-1.0, 0.0]])

    probability, _ = run(convert(pipeline, POLICY), applicants)

    np.testing.assert_allclose(probability, pipeline.predict_proba(applicants)[:, 1], rtol=0, atol=TOLERANCE)


def test_a_column_without_training_values_is_exported() -> None:
    """It has no median; graph and pipeline agree on the replacement."""
    fields = MIXES["numbers"]
    X = draw(fields, 100, 4)
    X[:, 1] = np.nan
    y = np.arange(100) % 2

    pipeline = CANDIDATES["logistic"].build(fields, 0).fit(X, y)
    applicants = draw(fields, 50, 5)
    probability, _ = run(convert(pipeline, POLICY), applicants)

    np.testing.assert_allclose(probability, pipeline.predict_proba(applicants)[:, 1], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
def test_exporting_the_same_fit_twice_gives_the_same_bytes(kind: str) -> None:
    """No random names and no order of sets, so that files can be compared by their sha256."""
    pipeline = fit(kind, MIXES["mixed"], 6)

    assert serialize(convert(pipeline, POLICY)) == serialize(convert(pipeline, POLICY))


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_is_float64_from_end_to_end(kind: str) -> None:
    """No initializer is float32; outputs, name and opsets are those of the contract."""
    model = convert(fit(kind, MIXES["mixed"], 7), POLICY)

    assert onnx.TensorProto.FLOAT not in {tensor.data_type for tensor in model.graph.initializer}
    assert [output.name for output in model.graph.output] == ["probability", "decision", "contributions"]
    assert model.graph.name == "credit"
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 21, "ai.onnx.ml": 5}


def test_a_probability_on_the_threshold_is_refused() -> None:
    """`refuse_from` is inclusive, in the graph as in training."""
    pipeline = fit("logistic", MIXES["numbers"], 8)
    applicants = draw(MIXES["numbers"], 1, 9)
    on_it = float(run(convert(pipeline, POLICY), applicants)[0][0])
    policy = Policy(5.0, 1.0, None, on_it, on_it, POLICY.points)

    _, decision = run(convert(pipeline, policy), applicants)

    assert decision.tolist() == [2]
