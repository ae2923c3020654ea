"""Reading a scorecard's table: its bins as functions of applicants, the grid of its numbers, and what it has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from model.scorecard import Scorecard, ScorecardField
from train.card import CardField
from train.errors import shorten
from train.fitted.steps import Matrix
from train.points_table.bins import name_bins
from train.scorecard.bins import FieldBins
from train.scorecard.fields import make_rules

DIGITS = 40
"""Binary digits behind the point that offset and contributions have, fewer where numbers are large."""

EXACT = 52
"""Binary digits of a float64 whose sums stay exact."""


def bins_of(field: ScorecardField) -> FieldBins:
    """The bins of a field of the table."""
    return FieldBins(field.column, field.edges, field.groups)


def find_grid(offset: float, base: int, points: Iterable[npt.NDArray[Any]]) -> float:
    """The power of two whose multiples, as large as these points and their sums, are added exactly in any order."""
    largest = abs(offset) + abs(base) + 2 * sum(float(np.abs(own).max(initial=0)) for own in points) + 1
    return 2.0 ** -min(DIGITS, EXACT - math.ceil(math.log2(largest)))


def describe_scorecard(card: Scorecard, fields: Mapping[str, CardField]) -> str:
    """What the table has, and which fields have the bins of a dataset card, in a sentence."""
    bins = [len(field.points) - 1 for field in card.fields]
    missing = sum(fields[field.field].nullable or bool(fields[field.field].missing) for field in card.fields)
    fixed = [field.field for field in card.fields if fields[field.field].binning is not None]
    unused = [name for name in fields if name not in {field.field for field in card.fields}]
    return (
        f"Scorecard: {len(card.fields)} fields, {sum(bins)} bins"
        + (f" and {missing} of missing values" if missing else "")
        + f", at most {max(bins)} a field"
        + (f"; {len(card.pairs)} pairs of fields" if card.pairs else "")
        + (f"; bins as the card fixes them: {', '.join(fixed)}" if fixed else "")
        + (f"; without points: {', '.join(unused)}" if unused else "")
    )


def describe_empty_bins(fields: Mapping[str, CardField], applicants: Matrix) -> list[str]:
    """Which bins that the card fixes no training row falls in, a sentence for each field that has some."""
    told = []
    for column, rule in enumerate(make_rules(list(fields.values()), list(fields))):
        if rule.edges is None and rule.groups is None:
            continue
        bins = FieldBins(column, rule.edges or (), rule.groups or ())
        rows = np.bincount(bins.place(applicants), minlength=bins.count + 1)[: bins.count]
        empty = [name for name, count in zip(name_bins(bins, fields[rule.name].levels), rows, strict=True) if not count]
        if empty:
            advice = "check the levels" if bins.groups else "check their units"
            told.append(
                f"no training row is in {len(empty)} of the {bins.count} bins that the card fixes for {rule.name!r}: "
                f"{shorten([f'“{name}”' for name in empty])}; {advice}"
            )
    return told
