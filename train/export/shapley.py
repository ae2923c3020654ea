"""Exact Shapley values of boosted trees as look-up tables.

A tree with at most 7 distinct splits has at most 2^7 patterns of outcomes, and for a fixed reference population its
Shapley values depend on the pattern alone. They are computed here for every pattern, once at export; the graph
(contribution_lookup.py) only looks them up.

The values are interventional Shapley values of the log-odds (Lundberg et al., From local explanations to global
understanding with explainable AI for trees, Nature Machine Intelligence 2, 2020). In the terms of game theory the
players are the input fields: a field outside the coalition takes the value of a reference applicant, averaged over all
of them. WOODELF uses the same dependence on patterns (Nadel & Wettenstein, From Decision Trees to Boolean Logic: A Fast
and Unified SHAP Algorithm, 2025, arXiv:2511.09376).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.splits import Leaf, collect_distinct_splits
from train.export.trees import Node, Split, Trees

FieldNumbers = npt.NDArray[np.int64]
"""For each encoded column the number of its input field, int64, shape (n_columns,)."""


@dataclass(frozen=True, slots=True)
class Table:
    """The Shapley values of one tree.

    `splits`: the Q distinct ones, in the order of the bits of a pattern (bit q is set if split q is true).
    `fields`: the P fields that they compare, int64. `values`: float64, shape (2^Q, P), log-odds.
    """

    splits: tuple[Split, ...]
    fields: FieldNumbers
    values: Matrix


def build_tables(trees: Trees, field_of_column: FieldNumbers, reference: Matrix) -> list[Table]:
    """One table for each tree; `reference` is the encoded reference population, float64, shape (m, n_columns).

    Raises ValueError if a tree has more than 7 distinct splits.
    """
    return [_build_table(tree, field_of_column, reference) for tree in trees.trees if isinstance(tree, Split)]


def _build_table(tree: Node, field_of_column: FieldNumbers, reference: Matrix) -> Table:
    own = collect_distinct_splits(tree)
    splits, outcomes = own.splits, own.outcomes()
    tree_fields = np.unique([field_of_column[split.column] for split in splits])
    pattern = np.zeros(len(reference), dtype=np.int64)
    for number, split in enumerate(splits):
        pattern |= split.is_true(reference).astype(np.int64) << number
    weight = np.bincount(pattern, minlength=len(outcomes)) / len(reference)

    values = np.zeros((len(outcomes), len(tree_fields)))
    for leaf in own.leaves:
        fields = np.unique([field_of_column[splits[number].column] for number, _ in leaf.path])
        satisfied = _satisfied(leaf, splits, field_of_column, fields, outcomes)
        # How often the reference population satisfies each set of the fields on the path.
        frequency = np.bincount(satisfied, weight, minlength=2 ** len(fields))
        shares = np.einsum("pqj,q->pj", _shares(len(fields)), frequency)
        values[:, np.searchsorted(tree_fields, fields)] += leaf.value * shares[satisfied]
    return Table(splits, tree_fields, values)


def _satisfied(
    leaf: Leaf,
    splits: tuple[Split, ...],
    field_of_column: FieldNumbers,
    fields: FieldNumbers,
    outcomes: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """For each pattern, the set of fields on the path whose splits all lead to the leaf, as bits: shape (2^Q,)."""
    sets = np.full(len(outcomes), 2 ** len(fields) - 1)
    for number, expected in leaf.path:
        bit = 1 << int(np.searchsorted(fields, field_of_column[splits[number].column]))
        sets = np.where(outcomes[:, number] == expected, sets, sets & ~bit)
    return sets


@cache
def _shares(size: int) -> Matrix:
    """Share of a leaf's value that each of `size` fields on its path gets: float64, shape (2^size, 2^size, size).

    [p, q, j]: the applicant satisfies the fields p, the reference applicant the fields q. The shares are 0 if some
    field is satisfied by neither. With U = p without q and V = q without p,
    each j in U gets (|U|−1)! |V|! / (|U|+|V|)!, each j in V gets −|U|! (|V|−1)! / (|U|+|V|)!
    (Lundberg et al. 2020, supplementary methods, interventional Tree SHAP).
    """
    shares = np.zeros((2**size, 2**size, size))
    for p in range(2**size):
        for q in range(2**size):
            if p | q != 2**size - 1:
                continue
            u, v = (p & ~q).bit_count(), (q & ~p).bit_count()
            for j in range(size):
                if p & ~q & (1 << j):
                    shares[p, q, j] = factorial(u - 1) * factorial(v) / factorial(u + v)
                elif q & ~p & (1 << j):
                    shares[p, q, j] = -factorial(u) * factorial(v - 1) / factorial(u + v)
    return shares
