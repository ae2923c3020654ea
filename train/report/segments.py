"""Segments: the figures of each group of the fields with `segment = true`; with times, in time and out of time.

Fairness asks whether groups are treated alike; this asks whether the model works in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.contract import Field
from model.policy import Policy
from train.card import CardField
from train.dataset import Matrix
from train.judged import Judged, judge
from train.report.group_figures import GroupFigures, measure_group
from train.report.groups import can_measure, split_groups
from train.report.out_of_sample import OutOfSample
from train.report.samples import ALL, IN_TIME, NEW, OUT_OF_TIME
from train.weights import Flags, select

MAX_GROUPS = 20
"""Of more groups the largest are measured one by one, and the rest together."""


@dataclass(frozen=True, slots=True)
class SegmentGroup:
    """One group; `figures`: for each population of the segment, None where the group is too small there."""

    name: str
    figures: tuple[GroupFigures | None, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One field: its groups of at least 50 applicants with both outcomes, in each population.

    populations: titles of the populations. n_other: how many groups the last one, “other”, stands for; 0 for none.
    n_excluded: applicants in no group, because theirs is too small.
    """

    name: str
    label: str
    unit: str
    populations: tuple[str, ...]
    groups: tuple[SegmentGroup, ...]
    n_other: int
    n_excluded: int


def measure_segments(
    sample: OutOfSample, fields: Mapping[str, CardField] | Mapping[str, Field], policy: Policy
) -> tuple[Segment, ...]:
    """Measure each field of sample.segments; `fields`: by name, as the card or the model's contract has them."""
    judged = judge(policy, sample.probability, sample.X)
    return tuple(_measure(name, fields[name], values, sample, judged) for name, values in sample.segments.items())


def _measure(name: str, field: CardField | Field, values: Matrix, sample: OutOfSample, judged: Judged) -> Segment:
    populations = _split_populations(sample)
    everyone = split_groups(field, values, sample.weight)
    named = {title: rows for title, rows in everyone.items() if can_measure(sample.y[rows])}
    largest = sorted(named, key=lambda title: -int(named[title].sum()))
    if len(largest) > MAX_GROUPS:
        named = {title: named[title] for title in named if title in largest[: MAX_GROUPS - 1]}
    rest = ~np.any(list(named.values()), axis=0) if named else np.ones(len(values), np.bool_)
    has_other = can_measure(sample.y[rest])
    n_other = sum(bool((rows & rest).any()) for rows in everyone.values()) if has_other else 0
    if has_other:
        named["other"] = rest
    return Segment(
        name=name,
        label=field.label,
        unit=field.unit,
        populations=tuple(populations),
        groups=tuple(
            SegmentGroup(title, tuple(_figures(sample, rows & people, judged) for people in populations.values()))
            for title, rows in named.items()
        ),
        n_other=n_other,
        n_excluded=0 if has_other else int(rest.sum()),
    )


def _split_populations(sample: OutOfSample) -> dict[str, Flags]:
    """Title of each population → whether each row is in it, bool, shape (n,)."""
    is_held_out = np.zeros(len(sample.y), np.bool_)
    is_held_out[sample.holdout_rows] = True
    if is_held_out.all():
        return {NEW: is_held_out}
    if sample.time is None:
        return {ALL: np.ones(len(sample.y), np.bool_)}
    return {IN_TIME: ~is_held_out, OUT_OF_TIME: is_held_out}


def _figures(sample: OutOfSample, rows: Flags, judged: Judged) -> GroupFigures | None:
    if not can_measure(sample.y[rows]):
        return None
    return measure_group(sample.y[rows], sample.probability[rows], judged.take(rows), select(sample.weight, rows))
