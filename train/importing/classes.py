"""The two classes of a fitted classifier, and which of them means default."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from train.card import CardValue
from train.errors import TrainingError, shorten
from train.readers.names import find_classifier
from train.target import find_default, is_same


def read_classes(fitted: Any) -> list[CardValue]:
    """The classes as values of a card, in the order of the probabilities.

    Raises TrainingError if there aren't two. A booster without a wrapper has the classes 0 and 1.
    """
    if type(fitted).__name__ == "Booster":
        return [0, 1]
    values = np.ravel(getattr(find_classifier(fitted), "classes_", [])).tolist()
    if len(values) != 2:
        found = f": {shorten([repr(value) for value in values])}" if values else " because it isn't fitted"
        raise TrainingError(
            f"the model can't be imported: it has {len(values)} classes{found}; "
            "expected two, one for good and one for default"
        )
    return [value if isinstance(value, str | int | float) else str(value) for value in values]


def choose_default(classes: Sequence[CardValue], given: str | None, carded: CardValue | None) -> CardValue:
    """Which of two classes means default: the given one, else the card's, else the one that everybody reads so.

    Raises TrainingError if the given one isn't a class, or nothing tells.
    """
    for stated in (given, carded):
        for value in classes:
            if stated is not None and _is_class(value, stated):
                return value
        if stated is not None and stated is given:
            raise TrainingError(f"--default {given!r} is no class of the model; its classes are: {_list(classes)}")
    texts = [str(value) for value in classes]
    found = find_default(texts)
    if found is None:
        choices = " or ".join(f"--default {shlex.quote(text)}" for text in texts)
        raise TrainingError(
            f"the model's classes are {_list(classes)}, and which of them means default can't be told; "
            f"say which: {choices}"
        )
    return classes[texts.index(found)]


def _is_class(value: CardValue, stated: CardValue) -> bool:
    if isinstance(value, bool):
        return str(stated).lower() in (str(value).lower(), str(int(value)))
    return is_same(str(value), stated)


def _list(classes: Sequence[CardValue]) -> str:
    return " and ".join(repr(value) for value in classes)
