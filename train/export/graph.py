"""A fitted pipeline as one float64 ONNX graph, the same bytes for the same fit.

skl2onnx walks the pipeline; the steps it would get wrong are converted by ours (the tables below).
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import ModelProto, helper
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serve.contract import Policy
from train.export.converter import OPSET, PLACEHOLDER_DOMAIN, TREES_DOMAIN, TREES_OPSET, set_double_output
from train.export.linear import convert_logistic
from train.export.policy import add_answers
from train.export.preprocessing import (
    calculate_one_hot_shape,
    calculate_same_shape,
    convert_imputer,
    convert_one_hot,
    convert_scaler,
)
from train.export.trees import convert_hist_gradient_boosting

IR_VERSION = 10
"""The first whose opsets hold what we use; a newer one would only shut out older runtimes."""

TRANSFORMERS = {
    SimpleImputer: (calculate_same_shape, convert_imputer),
    StandardScaler: (calculate_same_shape, convert_scaler),
    OneHotEncoder: (calculate_one_hot_shape, convert_one_hot),
}
CLASSIFIERS = {
    LogisticRegression: convert_logistic,
    HistGradientBoostingClassifier: convert_hist_gradient_boosting,
}


def convert_pipeline(pipeline: Pipeline, policy: Policy) -> ModelProto:
    """The graph of a fitted pipeline: applicants (n, n_features_in_) → probability (n,), decision (n,).

    Raises ValueError if a step of the pipeline has no exact converter.
    """
    _register()
    _check_steps(pipeline)
    model = convert_sklearn(
        pipeline,
        name="credit",
        initial_types=[("applicants", DoubleTensorType([None, pipeline.n_features_in_]))],
        target_opset={"": OPSET, PLACEHOLDER_DOMAIN: 1},
    )
    add_answers(model.graph, model.graph.output[0].name, policy)
    return finish(model)


def finish(model: ModelProto) -> ModelProto:
    """Stamp domains, opsets and versions, name the batch axis, and check the graph against ONNX's own rules."""
    for node in model.graph.node:
        if node.domain == PLACEHOLDER_DOMAIN:
            node.domain = TREES_DOMAIN
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)])
    model.ir_version = IR_VERSION
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.checker.check_model(model, full_check=True)
    return model


def serialize(model: ModelProto) -> bytes:
    """The bytes of a model file: the same for the same graph and metadata."""
    return bytes(model.SerializeToString(deterministic=True))


def _register() -> None:
    for kind, (calculate_shape, convert) in TRANSFORMERS.items():
        update_registered_converter(kind, f"Credit{kind.__name__}", calculate_shape, convert, overwrite=True)
    for kind, convert in CLASSIFIERS.items():
        # A classifier ends in its log-odds alone: label and probabilities are made from the policy.
        update_registered_converter(
            kind, f"Credit{kind.__name__}", _calculate_log_odds_shape, convert, overwrite=True, parser=_parse_classifier
        )


def _parse_classifier(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    operator = scope.declare_local_operator(f"Credit{type(model).__name__}", model)
    operator.inputs = list(inputs)
    operator.outputs.append(scope.declare_local_variable("log_odds", DoubleTensorType([None, 1])))
    return operator.outputs


def _calculate_log_odds_shape(operator: Any) -> None:
    set_double_output(operator, 1)


def _check_steps(pipeline: Pipeline) -> None:
    classifier = pipeline.steps[-1][1]
    if type(classifier) not in CLASSIFIERS:
        known = ", ".join(kind.__name__ for kind in CLASSIFIERS)
        raise ValueError(f"a {type(classifier).__name__} can't be exported exactly, expected one of: {known}")
