"""Questions and patterns of a tree, compared with the tree itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.train.export.random_trees import COLUMNS, cells, nodes
from train.export.questions import MAX_QUESTIONS, read_questions
from train.export.trees import Node, Split, Trees


@given(tree=st.integers(1, 8).flatmap(nodes), row=st.tuples(*[cells] * COLUMNS))
def test_the_pattern_of_an_applicant_has_the_value_of_its_leaf(tree: Node, row: tuple[float, ...]) -> None:
    """With repeated questions and missing values."""
    rows = np.array([row])
    own = read_questions(tree)

    pattern = sum(int(question.answer(rows)[0]) << bit for bit, question in enumerate(own.asked))

    assert Trees(0.0, (tree,)).log_odds(rows)[0] == own.values()[pattern]
    assert len(own.values()) == len(own.answers()) == 2 ** len(own.asked)


def test_a_repeated_question_is_counted_once() -> None:
    """Equal column, threshold and side of missing values; with the other side it is a different question."""
    again = Split(0, 1.0, False, 1.0, 2.0)
    other = Split(0, 1.0, True, 3.0, 4.0)

    assert len(read_questions(Split(0, 1.0, False, again, other)).asked) == 2


def test_more_than_seven_questions_are_refused() -> None:
    """The table would be too large; the message says how to fit smaller trees."""
    tree: Node = 0.0
    for number in range(MAX_QUESTIONS + 1):
        tree = Split(0, float(number), False, tree, 1.0)

    with pytest.raises(ValueError, match="a tree asks 8 different questions, reasons need at most 7; fit trees with"):
        read_questions(tree)
