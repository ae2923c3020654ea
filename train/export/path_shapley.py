"""Path-dependent Shapley values of trees of any size, as nodes of the graph. Used by reasons.py.

At the splits of a field outside the coalition both ways are taken, weighted by the shares of the training rows that
went there (Lundberg et al., From local explanations to global understanding with explainable AI for trees, Nature
Machine Intelligence 2, 2020, path-dependent Tree SHAP; LightGBM's pred_contrib). For a leaf of value v whose path asks
the fields P, with s_j = 1 if the applicant satisfies the path's condition on field j, else 0, and r_j the share of the
training rows that did (Step in paths.py),

    φ_j = ∫₀¹ v (s_j − r_j) ∏_{i≠j} (r_i + t (s_i − r_i)) dt

which is Owen's multilinear extension (Multilinear Extensions of Games, Management Science 18, 1972) of the leaf. The
integrand is a polynomial of degree |P| − 1, so that Gauss–Legendre quadrature with ⌈|P|/2⌉ points is exact.

Most leaves are looked up in tables (path_tables.py). Those with the longest paths, or that don't fit MAX_VALUES, are
integrated for each applicant (path_integrals.py).
"""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from train.export.branch import Branch
from train.export.path_groups import Group, divide
from train.export.path_integrals import make_integrals
from train.export.path_tables import add_tables, make_lookups
from train.export.paths import NEVER, Leaf, Rows, require_shares, satisfy, sort_conditions
from train.export.shapley import FieldNumbers
from train.export.trees import Split, Trees

MAX_VALUES = 8_000_000
"""Maximum of values in all tables: 64 MB in the memory of each session, about a tenth of it in the file."""

CHUNK = 600
"""Contributions of an applicant that are computed at once in a batch, so that they stay in the processor's cache."""

ALL = 10**9
"""The same for one applicant: all at once."""


def integrate_paths(branch: Branch, encoded: str, trees: Trees, field_of_column: FieldNumbers, n_fields: int) -> None:
    """Make the branch's result the path-dependent contributions, (n, n_fields), of the encoded applicants.

    Raises ValueError if the share of the training rows is unknown for a split.
    """
    require_shares(trees)
    groups, leaves = _choose_groups(trees.divided(), field_of_column)
    asked = {step.condition for path, _ in leaves for step in path.steps} | {NEVER}
    asked |= {condition for group in groups for condition in group.bits}
    conditions = sort_conditions(asked)
    rows: Rows = {condition: number for number, condition in enumerate(conditions)}
    tables = add_tables(branch, groups) if groups else None
    count = branch.add("Shape", [encoded], start=0, end=1)
    shape = branch.add("Concat", [branch.constant("n_fields", np.array([n_fields])), count], axis=0)
    zeros = branch.add("ConstantOfShape", [shape], value=numpy_helper.from_array(np.zeros(1)))
    integrals = [*make_integrals(branch, leaves, rows, CHUNK)]
    inner = []
    for name, is_one in (("one", True), ("many", False)):
        nodes = Branch(name)
        satisfied = satisfy(nodes, encoded, conditions, is_one=is_one)
        lookups = make_lookups(branch, tables, rows, ALL if is_one else CHUNK) if tables else ()
        total = zeros
        for part in (*lookups, *integrals):
            values = part.emit(nodes, satisfied, is_one=is_one)
            total = nodes.add("ScatterND", [total, part.owners, values], reduction="add")
        nodes.add("Transpose", [total], name)
        inner.append(nodes.graph(n_fields))
    single = branch.add("Equal", [count, branch.constant("one", np.array([1]))])
    branch.add("If", [single], branch.name, then_branch=inner[0], else_branch=inner[1])


def _choose_groups(trees: Trees, field_of_column: FieldNumbers) -> tuple[list[Group], list[Leaf]]:
    """Groups whose tables fit MAX_VALUES, smallest tables for a leaf first, and the leaves that are left over."""
    parts = [part for tree in trees.trees if isinstance(tree, Split) for part in divide(tree, field_of_column)]
    groups = sorted(
        (part for part in parts if isinstance(part, Group)), key=lambda group: group.n_values / len(group.leaves)
    )
    leaves = [part for part in parts if not isinstance(part, Group)]
    sizes = np.cumsum([group.n_values for group in groups])
    n_fitting = int(np.searchsorted(sizes, MAX_VALUES, "right"))
    return groups[:n_fitting], [*leaves, *(leaf for group in groups[n_fitting:] for leaf in group.whole_paths())]
