"""The trees of a fitted classifier, as its reader describes them."""

from __future__ import annotations

from typing import Any

from train.fitted.trees import Trees
from train.readers.classifiers import read_members
from train.readers.columns import Column, Levels
from train.readers.names import count_columns


def trees_of(classifier: Any) -> Trees:
    """The trees of a classifier that is one member."""
    columns = tuple(Column("", Levels()) for _ in range(count_columns(classifier)))
    (member,) = read_members(classifier, columns)
    assert isinstance(member.function, Trees)
    return member.function
