"""Log-odds of a batch by look-up are bit-identical to those of single applicants."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from sklearn.ensemble import HistGradientBoostingClassifier

from model.session import make_session
from tests.train.export.random_trees import COLUMNS, cells, nodes
from tests.train.readers.trees_of import trees_of
from train.dataset import Matrix
from train.export.log_odds_lookup import MIN_LOOKUP_ROWS, add_log_odds_lookup
from train.export.opsets import IR_VERSION, OPSET, TREES_DOMAIN, TREES_OPSET
from train.export.trees import Trees, ensemble_attributes

Fitted = tuple[Trees, onnxruntime.InferenceSession, Matrix]


def log_odds(trees: Trees, n_columns: int) -> onnxruntime.InferenceSession:
    """A session of a graph of trees only: x (n, n_columns) → log_odds (n, 1)."""
    attributes = ensemble_attributes([trees.base, *trees.trees], [0] * (len(trees.trees) + 1), 1)
    ensemble = helper.make_node("TreeEnsemble", ["x"], ["log_odds"], domain=TREES_DOMAIN, **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", width])
        for name, width in (("x", n_columns), ("log_odds", 1))
    ]
    graph = helper.make_graph([ensemble], "trees", ends[:1], ends[1:])
    add_log_odds_lookup(graph, "x", trees)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    # With several threads onnxruntime adds the leaves of a TreeEnsemble in another order.
    return make_session(model.SerializeToString())


def run(session: onnxruntime.InferenceSession, rows: Matrix) -> Matrix:
    """Log-odds, shape (n,)."""
    (answer,) = session.run(None, {"x": rows})
    found: Matrix = answer.ravel()
    return found


@settings(max_examples=40)
@given(
    base=st.floats(-2, 2),
    trees=st.lists(st.integers(1, 8).flatmap(nodes), max_size=4),
    rows=st.lists(st.tuples(*[cells] * COLUMNS), min_size=MIN_LOOKUP_ROWS, max_size=3 * MIN_LOOKUP_ROWS),
)
def test_any_trees_give_the_same_bits_in_small_and_large_batches(
    base: float, trees: list[float], rows: list[tuple[float, ...]]
) -> None:
    """Values equal to thresholds, missing values, trees of one leaf, no tree at all; compared with numpy too."""
    model = Trees(base, tuple(trees))
    applicants = np.array(rows)
    session = log_odds(model, COLUMNS)

    in_small_batches = np.concatenate([run(session, applicants[start : start + 5]) for start in range(0, len(rows), 5)])

    np.testing.assert_array_equal(in_small_batches, model.log_odds(applicants))
    np.testing.assert_array_equal(run(session, applicants), in_small_batches)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """200 boosted trees on 1,000 rows: the trees, their session, the rows."""
    random = np.random.default_rng(0)
    X = random.normal(size=(1000, 6))
    X[random.random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X[:, 0]) + random.normal(size=1000) > 0).astype(int)
    classifier = HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=8, random_state=0).fit(X, y)
    trees = trees_of(classifier)
    return trees, log_odds(trees, 6), X


@pytest.mark.parametrize("size", [1, MIN_LOOKUP_ROWS - 1, MIN_LOOKUP_ROWS, 33, 256, 1000])
def test_fitted_trees_give_the_same_bits_in_batches_of_any_size(fitted: Fitted, size: int) -> None:
    """Both branches sum hundreds of leaves in the same order."""
    trees, session, X = fitted

    found = np.concatenate([run(session, X[start : start + size]) for start in range(0, 1000, size)])

    np.testing.assert_array_equal(found, trees.log_odds(X))
