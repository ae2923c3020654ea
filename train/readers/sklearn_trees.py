"""The trees of scikit-learn's classifiers: single trees, forests, gradient boosting and its histogram variant.

All but the histogram variant round a value to float32 and compare it with a float64 threshold
(`Tree._apply_dense`, sklearn/tree/_tree.pyx); thresholds here have the same outcome for every float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from train.fitted.links import Affine, Links, Sigmoid
from train.fitted.rounding import Whole
from train.fitted.steps import Matrix
from train.fitted.trees import Node, Split, Trees
from train.readers.classifier import Classifier, SetColumns, share
from train.readers.columns import Column, encode, is_gap, learn_levels
from train.readers.float32 import largest_not_above

FLOAT64_EPSILON = float(np.finfo(np.float64).eps)


def read_tree(model: Any) -> Classifier:
    """A fitted DecisionTreeClassifier or ExtraTreeClassifier; its value is the probability of the second class."""
    return Classifier(Trees(0.0, (_read_probabilities(model),)), links=())


def read_forest(model: Any) -> Classifier:
    """A fitted random forest or extra trees: the mean of the trees' probabilities."""
    trees = tuple(_read_probabilities(tree) for tree in model.estimators_)
    return Classifier(Trees(0.0, trees, float(len(trees))), links=())


def _read_probabilities(model: Any) -> Node:
    """One tree whose leaves are the share of the second class."""
    values = np.asarray(model.tree_.value, dtype=np.float64)[:, 0, :]
    totals = values.sum(axis=1)
    # Shares since scikit-learn 1.3, weighted counts before, which predict_proba divides by their sum.
    if not np.allclose(totals, 1.0, rtol=0, atol=1e-9):
        values = values / np.where(totals == 0.0, 1.0, totals)[:, None]
    return _read_nodes(model.tree_, values[:, 1])


def _read_nodes(tree: Any, values: Matrix) -> Node:
    """A tree of sklearn.tree with these values of its nodes, float64, shape (n_nodes,)."""
    left, right, columns = tree.children_left.tolist(), tree.children_right.tolist(), tree.feature.tolist()
    thresholds, weights = tree.threshold.tolist(), tree.weighted_n_node_samples.tolist()
    # Since scikit-learn 1.3; before, missing values are refused.
    missing_left = getattr(tree, "missing_go_to_left", np.zeros(len(left))).tolist()
    nodes: list[Node] = values.tolist()
    # Children have higher numbers than their parent.
    for index in reversed(range(len(left))):
        if left[index] != -1:
            nodes[index] = Split(
                columns[index],
                largest_not_above(thresholds[index]),
                bool(missing_left[index]),
                nodes[left[index]],
                nodes[right[index]],
                share(weights[left[index]], weights[index]),
            )
    return nodes[0]


def read_gradient_boosting(model: Any) -> Classifier:
    """A fitted GradientBoostingClassifier: initial value + learning rate · leaves, as `predict_stages` adds them.

    Raises ValueError for an initial estimator that isn't constant.
    """
    is_half = model.loss == "exponential"
    rate = float(model.learning_rate)
    trees = [tree.tree_ for tree in model.estimators_[:, 0]]
    links: Links = (Affine(2.0, 0.0), Sigmoid()) if is_half else (Sigmoid(),)
    base = _find_initial(model.init_) * (0.5 if is_half else 1.0)
    return Classifier(Trees(base, tuple(_read_nodes(tree, rate * tree.value[:, 0, 0]) for tree in trees)), links)


def _find_initial(init: Any) -> float:
    """The log-odds that boosting starts from."""
    if isinstance(init, str):  # "zero"
        return 0.0
    if type(init).__name__ != "DummyClassifier" or init.strategy == "stratified":
        raise ValueError(
            f"a GradientBoostingClassifier that starts from a {type(init).__name__} can't be exported; "
            "fit it with init=None or init='zero'"
        )
    probability = float(init.predict_proba(np.zeros((1, 1)))[0, 1])
    clipped = min(max(probability, FLOAT64_EPSILON), 1 - FLOAT64_EPSILON)
    return float(np.log(clipped / (1 - clipped)))


def read_hist_gradient_boosting(model: Any, columns: tuple[Column, ...]) -> Classifier:
    """A fitted HistGradientBoostingClassifier, also with splits on its native categories.

    It puts categories first and numbers their values (`_preprocess_X`); a value that it doesn't know goes the way of a
    missing one (`_predict_one_from_raw_data`, sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx).
    """
    stated = getattr(model, "is_categorical_", None)  # scikit-learn before 0.24 has none
    categorical = np.zeros(len(columns), dtype=bool) if stated is None else np.asarray(stated)
    numbers, others = np.flatnonzero(categorical).tolist(), np.flatnonzero(~categorical).tolist()
    preprocessor = getattr(model, "_preprocessor", None)
    if preprocessor is None:  # scikit-learn before 1.4 keeps the order, and cuts numbers to codes
        source = list(range(len(columns)))
        codes = {place: [int(code) for code in model._bin_mapper.bin_thresholds_[place]] for place in numbers}
        known = {place: {code: float(code) for code in own} for place, own in codes.items()}
        added = SetColumns(len(columns), (Whole("below"),))
    else:
        source = [*numbers, *others]
        stored = preprocessor.named_transformers_["encoder"].categories_ if numbers else []
        known = {place: _read_codes(own, columns[source[place]]) for place, own in enumerate(stored)}
        added = SetColumns(len(columns))

    def read(predictor: Any) -> Node:
        nodes = predictor.nodes
        threshold = "num_threshold" if "num_threshold" in nodes.dtype.names else "threshold"  # before 0.24

        def descend(index: int) -> Node:
            node = nodes[index]
            if node["is_leaf"]:
                return float(node["value"])
            place, left, right = int(node["feature_idx"]), descend(node["left"]), descend(node["right"])
            to_left, missing_left = float(nodes[node["left"]]["count"]), bool(node["missing_go_to_left"])
            left_share = share(to_left, float(node["count"]))
            if not categorical.any() or not node["is_categorical"]:
                return Split(source[place], float(node[threshold]), missing_left, left, right, left_share)
            bits = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
            goes_left = {code: bool(bits[code // 32] >> np.uint32(code % 32) & 1) for code in known[place]}
            # Neither set has unknown and missing values: the indicator is of the set that they don't go with.
            members = [value for code, value in known[place].items() if goes_left[code] != missing_left]
            column = added.add(source[place], members)
            if missing_left:
                return Split(column, 0.5, True, left, right, left_share)
            return Split(column, 0.5, True, right, left, 1.0 - left_share)

        return descend(0)

    base = float(np.ravel(model._baseline_prediction)[0])
    trees = tuple(read(predictor) for (predictor,) in model._predictors)
    return Classifier(Trees(base, trees), steps=added.steps())


def _read_codes(categories: Any, column: Column) -> dict[int, float]:
    """The codes of a column's categories → the values as they enter the classifier."""
    kept = [category for category in categories if not is_gap(category)]
    learn_levels(column, kept, is_open=True)
    return {code: encode(category, column) for code, category in enumerate(kept)}
