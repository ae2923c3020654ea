"""A described model as one float64 ONNX graph, the same bytes for the same description."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper, numpy_helper

from model.checksum import append_checksum
from model.policy import Policy
from train.dataset import Matrix
from train.export.attribution import describe_attribution
from train.export.branch import Branch, matrix_info
from train.export.log_odds_lookup import add_log_odds_lookup
from train.export.opsets import IR_VERSION, OPSET, TREES_DOMAIN, TREES_OPSET
from train.export.outputs import add_outputs, describe_outputs
from train.export.reasons import add_reasons
from train.export.shapley import FieldNumbers
from train.export.trees import Split, Trees, ensemble_attributes
from train.fitted.linear import Linear
from train.fitted.mixing import Products
from train.fitted.model import FittedModel, Member
from train.fitted.steps import Owners, Steps, apply_steps, emit_steps


def convert(model: FittedModel, policy: Policy, reference: Matrix | None) -> ModelProto:
    """The graph of a model: applicants (n, n_fields) → probability, decision (n,), contributions (n, n_fields).

    `reference` is the reference population of the contributions, applicants as float64, shape (m, n_fields); None where
    the model itself tells its mean applicant. Raises ValueError if contributions can't be exact.
    """
    parts = [_convert_member(model, member, reference) for member in model.members]
    if len(parts) > 1:
        parts = [_rename(part, f"member{number}_") for number, part in enumerate(parts)]
    nodes = Branch("")
    add_outputs(nodes, [part.output[0].name for part in parts], model, policy)
    _add_contributions(nodes, [part.output[1].name for part in parts], model)
    explain = numpy_helper.from_array(np.array(False), "explain")
    # An input with an initializer is optional, with the initializer as default.
    initializers = [*(constant for part in parts for constant in part.initializer), *nodes.constants, explain]
    return _finish(
        helper.make_graph(
            [*(node for part in parts for node in part.node), *nodes.nodes],
            "credit",
            list(parts[0].input),
            [*describe_outputs(), matrix_info("contributions", len(model.inputs))],
            initializer=initializers,
        )
    )


def _convert_member(model: FittedModel, member: Member, reference: Matrix | None) -> GraphProto:
    """The graph of one member: applicants, explain → value (n, 1), contributions (n, n_fields) or (0, n_fields)."""
    n_fields = len(model.inputs)
    nodes = Branch("value")
    steps, products = split_products(member.steps)
    columns = emit_steps(steps, nodes, "applicants")
    encoded = nodes.add("Identity", [products.emit(nodes, columns) if products else columns], "encoded")
    value = _add_function(nodes, encoded, member)
    graph = helper.make_graph(
        nodes.nodes,
        "member",
        [
            helper.make_tensor_value_info("applicants", TensorProto.DOUBLE, ["n", n_fields]),
            helper.make_tensor_value_info("explain", TensorProto.BOOL, []),
        ],
        [matrix_info(value, 1)],
        initializer=nodes.constants,
    )
    if isinstance(member.function, Trees):
        add_log_odds_lookup(graph, "applicants", member.function)
    # Products are explained by their factors.
    explained = columns if products else encoded
    field_of_column = single_owners(model.owners(replace(member, steps=steps)))
    encoded_reference = None if reference is None else apply_steps(steps, reference)
    definition = describe_attribution(model).definition
    add_reasons(
        graph, explained, member.function.divided(), definition, field_of_column, n_fields, encoded_reference, products
    )
    return graph


def split_products(steps: Steps) -> tuple[Steps, Products | None]:
    """The steps without the products that they may end with, and these."""
    if steps and isinstance(steps[-1], Products):
        return steps[:-1], steps[-1]
    return steps, None


def _rename(graph: GraphProto, prefix: str) -> GraphProto:
    """The graph of a member with a prefix before every name but the inputs', in its branches too.

    onnx.compose.add_prefix_graph loses the names that a branch takes from the branch around it.
    """

    def rename(name: str) -> str:
        return prefix + name if name not in ("", "applicants", "explain") else name

    renamed = GraphProto()
    renamed.CopyFrom(graph)
    for named in (*renamed.input, *renamed.output, *renamed.value_info, *renamed.initializer):
        named.name = rename(named.name)
    for node in renamed.node:
        node.name = rename(node.name)
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                attribute.g.CopyFrom(_rename(attribute.g, prefix))
    return renamed


def _add_contributions(nodes: Branch, contributions: list[str], model: FittedModel) -> None:
    """The output contributions: those of the only member as they are, else their weighted sum."""
    if len(contributions) == 1:
        return
    total = ""
    for name, member in zip(contributions, model.members, strict=True):
        part = nodes.add("Mul", [name, nodes.constant("share", np.array(member.weight / model.total))])
        total = nodes.add("Add", [total, part]) if total else part
    nodes.add("Identity", [total], "contributions")


def single_owners(owners: Owners) -> FieldNumbers:
    """The field of each column, int64, shape (n_columns,); raises ValueError for a column that mixes fields."""
    if any(len(owner) != 1 for owner in owners):
        raise ValueError("a step before the classifier mixes fields, so that reasons by field can't be exact")
    return np.array([next(iter(owner)) for owner in owners], dtype=np.int64)


def _add_function(nodes: Branch, encoded: str, member: Member) -> str:
    """The value of a member's function, (n, 1)."""
    function = member.function
    if isinstance(function, Linear):
        coefficients = nodes.constant("coefficients", function.coefficients.reshape(-1, 1))
        return nodes.add("Gemm", [encoded, coefficients, nodes.constant("intercept", np.array([function.intercept]))])
    # The base is the first tree, a single leaf; scikit-learn sums in this order too.
    trees = [function.base, *function.trees]
    attributes = ensemble_attributes(
        [tree if isinstance(tree, Split) else Split(0, 0.0, False, tree, tree) for tree in trees], [0] * len(trees), 1
    )
    return nodes.add("TreeEnsemble", [encoded], domain=TREES_DOMAIN, **attributes)


def _finish(graph: onnx.GraphProto) -> ModelProto:
    """The graph with its opsets and IR version, checked by ONNX's checker."""
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)]
    )
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def serialize(model: ModelProto) -> bytes:
    """The bytes of a model file, with its checksum: the same for the same graph and metadata."""
    return append_checksum(model.SerializeToString(deterministic=True))
