"""A fitted object → its description (train/fitted/model.py). The entry of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from train.fitted.model import FittedModel, Input, fold_scale
from train.fitted.steps import Parallel, Select, Steps, follow_steps
from train.readers.classifiers import read_members, turn
from train.readers.columns import Column, Levels
from train.readers.mixing import unmix
from train.readers.names import count_columns, find_classifier, find_names
from train.readers.native import Native, make_ask
from train.readers.probing import probe_inputs
from train.readers.pull_back import pull_back


def describe(fitted: Any, default: int = 1, labels: Sequence[str] = ()) -> FittedModel:
    """Describe a fitted pipeline or classifier with two classes; `default`: the index of the class that means default.

    `labels`: what the inputs are called instead of the names of the columns, one for each column that the object was
    fitted on. Fields that the model doesn't use are no inputs. Raises ValueError if a part of it has no exact export.
    """
    names = find_names(fitted)
    width = len(names) or count_columns(fitted)
    levels = [Levels() for _ in range(width)]
    columns = tuple(Column(name, own) for name, own in zip(names or ("",) * width, levels, strict=True))
    # Twice, because an imputer before an encoder needs the encoder's levels.
    read_members(fitted, columns)
    members = tuple(pull_back(unmix(fold_scale(member), width), width) for member in read_members(fitted, columns))
    if len({member.is_log_odds for member in members}) > 1:
        raise ValueError(
            "some of the classifiers add up log-odds and others probabilities, so that reasons can't be exact; "
            "vote among classifiers of one kind, such as logistic regression and boosting, or forests alone"
        )
    if default == 0:
        members = tuple(turn(member) for member in members)

    start = tuple(frozenset([number]) for number in range(width))
    used = sorted(set().union(*(owner for member in members for owner in follow_steps(member.steps, start))))
    place = {column: number for number, column in enumerate(used)}
    narrow = [narrow_steps(member.steps, place, width) for member in members]
    if all(steps is not None for steps in narrow):
        members = tuple(replace(member, steps=steps or ()) for member, steps in zip(members, narrow, strict=True))
    else:
        used, place = list(range(width)), {column: column for column in range(width)}
    inputs = tuple(
        Input(labels[i] if labels else columns[i].name, tuple(levels[i].known), levels[i].is_open) for i in used
    )
    categories = {i: own.dtype_categories for i, own in enumerate(levels) if own.dtype_categories is not None}
    native = Native(
        tuple(names),
        tuple(place.get(column) for column in range(width)),
        categories,
        {i: None for i, own in enumerate(levels) if own.is_none_missing},
        {i: own.known[0] for i, own in enumerate(levels) if i not in place and own.known},
    )
    ask = make_ask(fitted, native, inputs, default)
    model = FittedModel(
        inputs,
        members,
        ask,
        type(find_classifier(fitted)).__name__,
        rounding=max(member.rounding for member in members),
    )
    return replace(model, inputs=probe_inputs(model))


def narrow_steps(steps: Steps, place: dict[int, int], width: int) -> Steps | None:
    """The same steps on the used columns alone, `place`: old → new; None if a step takes all columns."""
    if len(place) == width:
        return steps
    first, *rest = steps or (None,)
    if isinstance(first, Select) and place.keys() >= set(first.columns):
        return (Select(tuple(place[column] for column in first.columns)), *rest)
    if isinstance(first, Parallel):
        branches = [narrow_steps(branch, place, width) for branch in first.branches]
        if all(branch is not None for branch in branches):
            return (Parallel(tuple(branch or () for branch in branches)), *rest)
    return None
