"""The distinct questions of a boosted tree, and the answers that lead to each leaf.

A tree of 8 leaves has at most 7 distinct questions, so its result depends on one of at most 128 patterns of answers:
bit q of a pattern is set if the answer to question q is true.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.trees import Node, Split

MAX_QUESTIONS = 7
"""The maximum of a tree of 8 leaves; each further question would double its table."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: its value in log-odds, and its path as (number of the question, answer)."""

    value: float
    path: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """The Q distinct questions of a tree, in the order of the bits of a pattern, and the tree's leaves."""

    asked: tuple[Split, ...]
    leaves: tuple[Leaf, ...]

    def answers(self) -> npt.NDArray[np.bool_]:
        """The answers of every pattern: shape (2^Q, Q)."""
        patterns = np.arange(2 ** len(self.asked))
        answers: npt.NDArray[np.bool_] = (patterns[:, None] >> np.arange(len(self.asked))) & 1 == 1
        return answers

    def values(self) -> Matrix:
        """The value of the leaf that every pattern reaches: float64, shape (2^Q,)."""
        answers = self.answers()
        values = np.zeros(len(answers))
        for leaf in self.leaves:
            values[np.all([answers[:, number] == answer for number, answer in leaf.path], axis=0)] = leaf.value
        return values


def read_questions(tree: Node) -> Questions:
    """Number the distinct questions of a tree; raises ValueError if there are more than 7."""
    asked: list[Split] = []
    leaves: list[Leaf] = []
    _collect(tree, asked, leaves, ())
    if len(asked) > MAX_QUESTIONS:
        raise ValueError(
            f"a tree asks {len(asked)} different questions, reasons need at most {MAX_QUESTIONS}; "
            "fit trees with at most 8 leaves"
        )
    return Questions(tuple(asked), tuple(leaves))


def _collect(node: Node, asked: list[Split], leaves: list[Leaf], path: tuple[tuple[int, bool], ...]) -> None:
    if not isinstance(node, Split):
        leaves.append(Leaf(node, path))
        return
    key = (node.column, node.threshold, node.missing_true)
    known = [(question.column, question.threshold, question.missing_true) for question in asked]
    if key in known:
        number = known.index(key)
    else:
        number = len(asked)
        asked.append(node)
    _collect(node.true, asked, leaves, (*path, (number, True)))
    _collect(node.false, asked, leaves, (*path, (number, False)))
