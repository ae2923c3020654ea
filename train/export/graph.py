"""A fitted pipeline as one float64 ONNX graph, the same bytes for the same fit.

skl2onnx traverses the pipeline; steps that it doesn't convert exactly have converters of our own (TRANSFORMERS and
the classifier).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.checksum import append_checksum
from model.policy import Policy
from train.dataset import Matrix
from train.export.columns import map_columns_to_fields
from train.export.converter import OPSET, PLACEHOLDER_DOMAIN, TREES_DOMAIN, TREES_OPSET, Nodes
from train.export.learners import read_classifier
from train.export.linear import Linear, convert_linear
from train.export.log_odds_lookup import add_log_odds_lookup
from train.export.outputs import add_decision_outputs
from train.export.preprocessing import (
    calculate_one_hot_shape,
    calculate_same_shape,
    convert_imputer,
    convert_one_hot,
    convert_scaler,
)
from train.export.reasons import add_reasons
from train.export.trees import Trees, convert_trees

IR_VERSION = 10
"""The first version with the opsets used here; a newer one would exclude older runtimes."""

TRANSFORMERS = {
    SimpleImputer: (calculate_same_shape, convert_imputer),
    StandardScaler: (calculate_same_shape, convert_scaler),
    OneHotEncoder: (calculate_one_hot_shape, convert_one_hot),
}


def convert_pipeline(pipeline: Pipeline, policy: Policy, reference: Matrix) -> ModelProto:
    """The graph of a fitted pipeline: applicants (n, n_features_in_) → probability, decision (n,), contributions.

    `reference` is the reference population of the contributions, applicants as float64, shape (m, n_features_in_).
    Raises ValueError if a step of the pipeline has no exact converter.
    """
    classifier = pipeline.steps[-1][1]
    exported_classifier = read_classifier(classifier)
    field_of_column = map_columns_to_fields(pipeline)
    _register(type(classifier))
    model = convert_sklearn(
        pipeline,
        name="credit",
        initial_types=[("applicants", DoubleTensorType([None, pipeline.n_features_in_]))],
        target_opset={"": OPSET, PLACEHOLDER_DOMAIN: 1},
    )
    log_odds, encoded = (output.name for output in model.graph.output)
    if isinstance(exported_classifier, Trees):
        add_log_odds_lookup(model.graph, "applicants", exported_classifier)
    add_decision_outputs(model.graph, log_odds, policy)
    add_reasons(
        model.graph,
        encoded,
        exported_classifier,
        field_of_column,
        pipeline.n_features_in_,
        transform_to_columns(pipeline, reference),
    )
    return finish(model)


def transform_to_columns(pipeline: Pipeline, applicants: Matrix) -> Matrix:
    """The classifier's input for these applicants: float64, shape (n, n_columns)."""
    encoded = pipeline[:-1].transform(applicants) if len(pipeline.steps) > 1 else applicants
    # OneHotEncoder returns a sparse matrix by default.
    return np.asarray(encoded.toarray() if hasattr(encoded, "toarray") else encoded, dtype=np.float64)


def finish(model: ModelProto) -> ModelProto:
    """Set domains, opsets and IR version, name the batch axis, and run ONNX's checker."""
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
    """The bytes of a model file, with its checksum: the same for the same graph and metadata."""
    return append_checksum(model.SerializeToString(deterministic=True))


def _register(classifier: type) -> None:
    for kind, (calculate_shape, convert) in TRANSFORMERS.items():
        update_registered_converter(kind, f"Credit{kind.__name__}", calculate_shape, convert, overwrite=True)
    # The classifier's outputs are its log-odds and its input; probability, decision and contributions are computed
    # from them.
    update_registered_converter(
        classifier,
        f"Credit{classifier.__name__}",
        _calculate_classifier_shape,
        _convert_classifier,
        overwrite=True,
        parser=_parse_classifier,
    )


def _parse_classifier(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    operator = scope.declare_local_operator(f"Credit{type(model).__name__}", model)
    operator.inputs = list(inputs)
    for name in ("log_odds", "encoded"):
        operator.outputs.append(scope.declare_local_variable(name, DoubleTensorType([None, None])))
    return operator.outputs


def _calculate_classifier_shape(operator: Any) -> None:
    operator.outputs[0].type = DoubleTensorType([None, 1])
    operator.outputs[1].type = DoubleTensorType(operator.inputs[0].type.shape)


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    exported_classifier = read_classifier(operator.raw_operator)
    if isinstance(exported_classifier, Linear):
        convert_linear(exported_classifier, scope, operator, container)
    else:
        convert_trees(exported_classifier, scope, operator, container)
    Nodes(scope, container).finish("Identity", [operator.inputs[0].full_name], operator.outputs[1].full_name)
