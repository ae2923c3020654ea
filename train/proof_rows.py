"""The applicants on which pipeline and graph are compared: the data, and rows made to reveal differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.contract import MAX_MAGNITUDE, Field
from model.inputs import Input
from model.money import Money
from model.policy import Policy
from train.dataset import Matrix
from train.export.golden import draw_applicants
from train.export.rule_rows import draw_rule_rows
from train.fitted.binning import Binned
from train.fitted.model import FittedModel, Member
from train.fitted.ranks import bisect, from_rank, to_rank
from train.fitted.steps import Parallel, Steps, apply_steps, follow_steps
from train.fitted.trees import Trees, collect_splits

GENERATED_ROWS = 100_000
ROWS_WITH_MISSING = 10_000
ROWS_PER_SPLIT = 8
"""Base rows per split, because not every row reaches a split deep in its tree; fewer for a model of many splits."""

ROWS_AT_SPLITS = 50_000
"""About the most base rows of all splits."""

ROWS_PER_RULE = 8
"""Base rows per rule from the applicants, and as many from the bounds."""

ROWS_WITH_AMOUNTS = 10_000
AMOUNT_DIGITS, MARGIN_DIGITS = (-2.0, 9.0), (-4.0, 1.0)
"""Decimal logarithms of the exposures and margins that are drawn."""


def draw_test_rows(
    fitted: FittedModel, fields: list[Field], applicants: Matrix, seed: int, policy: Policy | None = None
) -> Iterator[Matrix]:
    """Yield the applicants, float64, shape (n, n_fields), and then groups of rows made from them or from the bounds.

    `policy`: the groups include rows at the limits of its rules, and of all amounts that its money may read.
    """
    random = np.random.default_rng(seed)
    yield applicants
    yield draw_applicants(fields, GENERATED_ROWS, seed)
    yield _with_missing(applicants, fields, random)
    yield _with_extremes(applicants, fields, random)
    for member in fitted.members:
        for comparisons in find_comparisons(member):
            yield _at_thresholds(comparisons, fields, applicants, random)
    if policy is not None and policy.rules:
        bases = np.concatenate(
            [_sample(applicants, ROWS_PER_RULE, random), draw_applicants(fields, ROWS_PER_RULE, seed)]
        )
        yield draw_rule_rows(policy.rules, fields, bases)
    if policy is not None and policy.money is not None:
        yield _with_amounts(policy.money, fields, applicants, random)


def _with_amounts(money: Money, fields: list[Field], applicants: Matrix, random: np.random.Generator) -> Matrix:
    """Real rows with exposures and margins of every magnitude, some of them negative."""
    rows = _sample(applicants, ROWS_WITH_AMOUNTS, random)
    for source, digits in ((money.exposure, AMOUNT_DIGITS), (money.margin, MARGIN_DIGITS)):
        if isinstance(source, Input):
            drawn = 10 ** random.uniform(*digits, len(rows)) * np.where(random.random(len(rows)) < 0.1, -1, 1)
            low, high = fields[source.column].limits
            rows[:, source.column] = np.clip(drawn, low, high)
    return rows


def _sample(applicants: Matrix, rows: int, random: np.random.Generator) -> Matrix:
    return applicants[random.integers(0, len(applicants), rows)]


def _with_missing(applicants: Matrix, fields: list[Field], random: np.random.Generator) -> Matrix:
    """Real rows with half of the nullable cells removed, and all of them in the first row."""
    rows = _sample(applicants, ROWS_WITH_MISSING, random)
    nullable = np.array([field.nullable for field in fields])
    is_missing = (random.random(rows.shape) < 0.5) & nullable
    is_missing[0] = nullable
    rows[is_missing] = np.nan
    return rows


def _with_extremes(applicants: Matrix, fields: list[Field], random: np.random.Generator) -> Matrix:
    """Real rows with one number each replaced: by an extreme that the field takes, its limit, or a code for missing."""
    extremes = [sign * value for value in (0.0, 1e-300, 5e-324, 1e15, MAX_MAGNITUDE) for sign in (1, -1)]
    cases = [
        (column, number)
        for column, field in enumerate(fields)
        if field.kind == "number"
        for number in (*extremes, *(field.limits if field.is_limited else ()), *field.missing)
        if field.takes(number)
    ]
    rows = _sample(applicants, len(cases), random)
    for row, (column, value) in zip(rows, cases, strict=True):
        row[column] = value
    return rows


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Columns that are compared with thresholds, as (column, threshold), and the steps that compute the columns."""

    steps: Steps
    cases: frozenset[tuple[int, float]]


def find_comparisons(member: Member) -> list[Comparisons]:
    """The splits of a member's trees, and the ends of the bins in its steps."""
    found: list[Comparisons] = []

    def walk(before: Steps, steps: Steps) -> None:
        for number, step in enumerate(steps):
            here = (*before, *steps[:number])
            if isinstance(step, Parallel):
                for branch in step.branches:
                    walk(here, branch)
            if isinstance(step, Binned):
                ends = {(function.source, end) for function in step.functions for end in function.ends.tolist()}
                found.append(Comparisons(here, frozenset(ends)))

    walk((), member.steps)
    if isinstance(member.function, Trees):
        splits = {(split.column, split.threshold) for split in collect_splits(member.function)}
        found.append(Comparisons(member.steps, frozenset(splits)))
    return found


def _at_thresholds(
    comparisons: Comparisons, fields: list[Field], applicants: Matrix, random: np.random.Generator
) -> Matrix:
    """Real rows with one number each placed where the outcome of a comparison changes, and one ulp to either side.

    The place is found by bisection over the float64 numbers, which works for any monotonic preprocessing before it.
    """
    owners = follow_steps(comparisons.steps, tuple(frozenset([number]) for number in range(len(fields))))
    # A column of several fields has no place of its own.
    field_of_column = np.array([next(iter(owner)) if len(owner) == 1 else -1 for owner in owners])
    cases = [case for case in sorted(comparisons.cases) if np.isfinite(case[1]) and field_of_column[case[0]] >= 0]
    cases = [case for case in cases if fields[field_of_column[case[0]]].kind == "number"]
    if not cases:
        return applicants[:0]
    column, threshold = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    field, every = field_of_column[column], np.arange(len(cases))
    per_split = min(ROWS_PER_SPLIT, ROWS_AT_SPLITS // len(cases) + 1)
    bases = _sample(applicants, len(cases) * per_split, random).reshape(per_split, len(cases), -1)
    rows = bases[0].copy()
    lowest, highest = np.array([fields[number].limits for number in field]).T

    def is_below(numbers: Matrix) -> npt.NDArray[np.bool_]:
        rows[every, field] = numbers
        below: npt.NDArray[np.bool_] = apply_steps(comparisons.steps, rows)[every, column] <= threshold
        return below

    last, first, end = to_rank(bisect(lowest, highest, is_below)), to_rank(lowest), to_rank(highest)
    parts = []
    for step in (-1, 0, 1, 2):
        part = bases.copy()
        part[:, every, field] = from_rank(np.clip(last + step, first, end))
        parts.append(part.reshape(-1, applicants.shape[1]))
    return np.concatenate(parts)
