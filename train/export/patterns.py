"""The patterns of a batch's answers to all trees, as nodes of the graph. Used by bulk.py and lookup.py.

Walking a tree takes a data-dependent branch at each node, which the processor mispredicts. Here all questions of all
trees are answered by vectorized comparisons without branches: from some hundred rows on in a fraction of the time of
onnxruntime's TreeEnsemble (`make bench-explain`).

A question becomes a test that a missing value never passes: `x <= threshold`, or, if a missing value goes to the true
side, the inverted test `x >= the next number above threshold`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.trees import Split

Asked = tuple[Split, ...]
"""The different questions of a tree, in the order of the bits of a pattern."""

Test = tuple[bool, int, float]
"""Whether it is inverted, column, limit."""

NEVER: Test = (False, 0, -np.inf)
"""The test of an unused bit: no finite number passes."""


def number_patterns(branch: Branch, encoded: str, trees: Sequence[Asked]) -> str:
    """Index of each applicant's pattern in the concatenated tables of all trees.

    encoded (n, n_columns) → int32, shape (1, n_trees · n), tree by tree. The table of a tree of Q questions has 2^Q
    entries, in the order of `order_by_test`.
    """
    bits = max([1, *(len(asked) for asked in trees)])
    of_tree = [[*map(_test, asked), *[NEVER] * (bits - len(asked))] for asked in trees]
    tests = sorted({NEVER, *(test for own in of_tree for test in own)})
    place = {test: number for number, test in enumerate(tests)}
    places = np.array([[place[own[bit]] for own in of_tree] for bit in range(bits)])

    x = branch.add("Transpose", [encoded])
    plain = branch.add("LessOrEqual", _operands(branch, x, "plain", [test for test in tests if not test[0]]))
    turned = [test for test in tests if test[0]]
    parts = [plain, branch.add("GreaterOrEqual", _operands(branch, x, "turned", turned))] if turned else [plain]
    passed = branch.add("Cast", [branch.add("Concat", parts, axis=0)], to=TensorProto.UINT8)
    # One row for each bit of each tree; the patterns of all trees are one integer matrix product.
    needed = branch.add("Gather", [passed, branch.constant("needed", places.ravel())], axis=0)
    by_bit = branch.add("Reshape", [needed, branch.constant("by_bit", np.array([bits, -1]))])
    weights = branch.constant("weights", (1 << np.arange(bits, dtype=np.uint8))[None, :])
    pattern = branch.add("MatMulInteger", [weights, by_bit])
    by_tree = branch.add("Reshape", [pattern, branch.constant("by_tree", np.array([len(trees), -1]))])
    starts = np.cumsum([0, *(2 ** len(asked) for asked in trees[:-1])], dtype=np.int32)
    index = branch.add("Add", [by_tree, branch.constant("starts", starts[:, None])])
    return branch.add("Reshape", [index, branch.constant("in_a_row", np.array([1, -1]))])


def order_by_test(asked: Asked, values: Matrix) -> Matrix:
    """Reorder values, shape (2^Q, …), from patterns of answers to patterns of passed tests."""
    turned = sum(question.missing_true << bit for bit, question in enumerate(asked))
    sorted_values: Matrix = values[np.arange(len(values)) ^ turned]
    return sorted_values


def _test(question: Split) -> Test:
    limit = np.nextafter(question.threshold, np.inf) if question.missing_true else question.threshold
    return question.missing_true, question.column, float(limit)


def _operands(branch: Branch, x: str, name: str, tests: Sequence[Test]) -> list[str]:
    """The two operands of a comparison: tested values, (n_tests, n), and limits, (n_tests, 1)."""
    columns = branch.constant(f"{name}_columns", np.array([column for _, column, _ in tests]))
    limits = branch.constant(f"{name}_limits", np.array([[limit] for *_, limit in tests]))
    return [branch.add("Gather", [x, columns], axis=0), limits]
