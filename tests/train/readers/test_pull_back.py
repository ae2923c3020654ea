"""Trees after logarithms and powers, as trees of the fields themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from tests.train.fitted.graphs import run_steps
from train.dataset import Matrix
from train.fitted.ranks import bisect, from_rank, to_rank
from train.fitted.trees import Trees, collect_splits
from train.readers.describe import describe

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

RANDOM = np.random.default_rng(0)
X = np.abs(RANDOM.normal(size=(400, 3))) * [1.0, 1000.0, 0.01] + 1e-6
Y = (np.log(X) @ [1.0, 0.5, 0.3] + RANDOM.normal(size=400) > 2).astype(int)
GAPS = np.where(RANDOM.random(X.shape) < 0.1, np.nan, X)

LOG, LOG1P = FunctionTransformer(np.log), FunctionTransformer(np.log1p)
HGB = HistGradientBoostingClassifier(max_iter=5)

MODELS = {
    "log": (make_pipeline(LOG, DecisionTreeClassifier()), X),
    "log of gaps": (make_pipeline(LOG1P, HGB), GAPS),
    "falling": (make_pipeline(LOG, FunctionTransformer(np.negative), HGB), GAPS),
    "filled before": (make_pipeline(SimpleImputer(), LOG1P, StandardScaler(), RandomForestClassifier(10)), GAPS),
    "filled after": (make_pipeline(LOG1P, SimpleImputer(), RandomForestClassifier(10)), GAPS),
    "exponential": (make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), HGB), GAPS),
    "yeo-johnson": (make_pipeline(PowerTransformer(), DecisionTreeClassifier()), X),
    "box-cox": (make_pipeline(PowerTransformer("box-cox"), DecisionTreeClassifier()), X),
    "of quantiles": (make_pipeline(QuantileTransformer(n_quantiles=30), LOG1P, DecisionTreeClassifier()), X),
    "beside the field": (make_pipeline(make_union(LOG1P, "passthrough"), HGB), GAPS),
    "beside bins": (
        make_pipeline(
            ColumnTransformer([("log", LOG, [0, 1]), ("bins", KBinsDiscretizer(encode="ordinal"), [2])]), HGB
        ),
        X,
    ),
}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_applicant_reaches_the_same_leaf(name: str) -> None:
    """Also at the splits, one number beside them, and where the function has no value; in ONNX Runtime too."""
    model, table = MODELS[name]
    described = describe(model.fit(table, Y))
    (member,) = described.members

    rows = np.concatenate([table, beside_splits(described, table)])
    expected = described.ask(rows)

    np.testing.assert_allclose(described.probability(rows), expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(run_steps(member.steps, rows), member.encode(rows))


def beside_splits(described: Any, table: Matrix) -> Matrix:
    """Rows with one number at a split of its field, and one number below and above it."""
    (member,) = described.members
    owners = described.owners(member)
    assert isinstance(member.function, Trees)
    rows: list[Matrix] = []
    for split in collect_splits(member.function):
        if np.isinf(split.threshold):
            continue
        (field,) = owners[split.column]
        for shift in (-1, 0, 1):
            row = table[len(rows) % len(table)].copy()
            row[field] = from_rank(to_rank(np.array(split.threshold)) + shift)
            if np.isfinite(row[field]) and (row[field] > 0 or np.isnan(table).any()):
                rows.append(row)
    return np.array(rows)


def test_numbers_without_a_logarithm_go_the_way_of_a_missing_value() -> None:
    """As the library sends them, which sees NaN."""
    model = make_pipeline(FunctionTransformer(np.log1p), HGB).fit(GAPS, Y)
    rows = GAPS.copy()
    rows[::2, 0], rows[::3, 1], rows[::5, 2] = -1.0, -7.0, np.nextafter(-1.0, -2.0)

    with np.errstate(all="ignore"):
        expected = model.predict_proba(rows)[:, 1]

    np.testing.assert_allclose(describe(model).probability(rows), expected, rtol=0, atol=1e-12)


def test_a_function_that_rises_and_falls_is_refused() -> None:
    """A square before a logarithm has two places for each split."""
    model = make_pipeline(FunctionTransformer(np.square), LOG1P, DecisionTreeClassifier()).fit(X, Y)

    with pytest.raises(ValueError, match="rises and falls"):
        describe(model)


def test_bisection_finds_the_last_number_of_a_condition() -> None:
    """Also across zero and far from it."""
    targets = np.array([-3.5, 0.0, 5e-324, 1e90])

    found = bisect(np.full(4, -1e100), np.full(4, 1e100), lambda x: x <= targets)

    assert found.tolist() == targets.tolist()
