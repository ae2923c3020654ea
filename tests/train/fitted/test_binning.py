"""Values of bins: the step in numpy and the graph's nodes agree for every float64 number."""

from __future__ import annotations

import math

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from train.export.branch import Branch, matrix_info
from train.export.opsets import IR_VERSION, OPSET, TREES_DOMAIN, TREES_OPSET
from train.fitted.binning import Binned, Cells, Intervals, make_exact
from train.fitted.steps import Matrix, Step, follow_steps

NUMBERS = st.floats(-1e300, 1e300)


def run(step: Step, rows: Matrix, width: int) -> Matrix:
    """The result of the step's nodes, which has `width` columns."""
    nodes = Branch("")
    result = step.emit(nodes, "x")
    graph = helper.make_graph(
        nodes.nodes,
        "step",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, rows.shape[1]])],
        [matrix_info(result, width)],
        initializer=nodes.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(TREES_DOMAIN, TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    answer: Matrix = session.run(None, {"x": rows})[0]
    return answer


@settings(max_examples=50, deadline=None)
@given(ends=st.lists(NUMBERS, min_size=1, max_size=20, unique=True), seed=st.integers(0, 1_000))
def test_graph_takes_the_same_bin(ends: list[float], seed: int) -> None:
    """At every end, one ulp beside it, at infinity and for a missing value."""
    random = np.random.default_rng(seed)
    ascending = np.unique(ends)
    step = Binned((Intervals(0, ascending, random.normal(size=len(ascending) + 1), random.normal()),))
    around = [np.nextafter(ascending, -np.inf), ascending, np.nextafter(ascending, np.inf)]
    rows = np.concatenate([*around, [0.0, -0.0, math.inf, -math.inf, math.nan]])[:, None]
    np.testing.assert_array_equal(run(step, rows, 1), step.apply(rows))


def test_an_end_belongs_to_the_interval_below_it() -> None:
    """`x <= end`; a missing value has a value of its own."""
    function = Intervals(0, np.array([1.0, 2.0]), np.array([10.0, 20.0, 30.0]), 40.0)
    actual = function.apply(np.array([[1.0], [np.nextafter(1.0, 2.0)], [2.0], [2.5], [np.nan]]))
    np.testing.assert_array_equal(actual, [10.0, 20.0, 20.0, 30.0, 40.0])


@settings(max_examples=50, deadline=None)
@given(values=st.dictionaries(NUMBERS, NUMBERS, max_size=6), other=NUMBERS)
def test_exact_values_are_met_by_themselves_alone(values: dict[float, float], other: float) -> None:
    """The numbers one ulp beside a key have the other value, unless they are keys too."""
    function = make_exact(0, values, other, missing=-1.0)
    keys = np.array([*values])
    numbers = np.concatenate([keys, np.nextafter(keys, -np.inf), np.nextafter(keys, np.inf), [0.5]])
    expected = [values.get(number, other) for number in numbers.tolist()]
    np.testing.assert_array_equal(function.apply(numbers[:, None]), expected)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_graph_takes_the_same_cells(axes: int) -> None:
    """Each table is indexed by its own columns, and a result belongs to the owner that `parts` names."""
    random = np.random.default_rng(axes)
    shapes = (4, 3, 5)
    tables = (random.normal(size=shapes[:axes]), random.normal(size=5))
    step = Cells(tables, (tuple(range(axes)), (2,)), (axes - 1, 2))
    rows = np.column_stack([random.integers(0, size, 100) for size in shapes]).astype(np.float64)
    expected = np.column_stack([tables[0][tuple(rows[:, :axes].astype(int).T)], tables[1][rows[:, 2].astype(int)]])
    np.testing.assert_array_equal(step.apply(rows), expected)
    np.testing.assert_array_equal(run(step, rows, 2), expected)
    owners = (frozenset([7]), frozenset([8]), frozenset([9]))
    assert follow_steps((step,), owners) == (owners[axes - 1], owners[2])
