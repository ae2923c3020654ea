"""The bins of a scorecard in words, and the points of applicants; the reference for SQL and for the workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.contract import Contract, Field
from model.policy import Decision
from model.scorecard import BinFacts, Scorecard, ScorecardField
from train.dataset import Matrix
from train.fitted.links import Sigmoid
from train.scorecard.bins import FieldBins

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The most points that are refused, and the most that are reviewed or refused."""

    refuse: int
    review: int


@dataclass(frozen=True, slots=True)
class Example:
    """One applicant: the values of the fields; the points of each field, then of each pair; what follows from them."""

    values: list[float]
    points: list[int]
    total: int
    probability: float
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class ContractScorecard:
    """A scorecard with the fields of its contract; `fields[i]` describes `scorecard.fields[i]`."""

    contract: Contract
    scorecard: Scorecard

    @property
    def fields(self) -> tuple[Field, ...]:
        """The contract's fields that have points, in the order of the scorecard."""
        return tuple(self.contract.fields[bins.column] for bins in self.scorecard.fields)

    @property
    def pair_labels(self) -> list[str]:
        """The labels of the two fields of each pair."""
        labels = [field.label for field in self.fields]
        return [f"{labels[pair.fields[0]]} × {labels[pair.fields[1]]}" for pair in self.scorecard.pairs]

    def find_bins(self, applicants: Matrix) -> Counts:
        """The number of each field's bin, the last for a missing value: int64, shape (n, n_scorecard_fields)."""
        found = np.empty((len(applicants), len(self.fields)), dtype=np.int64)
        for place, (field, bins) in enumerate(zip(self.fields, self.scorecard.fields, strict=True)):
            values = applicants[:, bins.column]
            is_missing = np.isnan(values) | np.isin(values, field.missing)
            if field.kind == "number":
                numbers = np.searchsorted(bins.edges, values, side="right")
            else:
                of_level = np.zeros(len(field.levels), dtype=np.int64)
                for number, group in enumerate(bins.groups):
                    of_level[list(group)] = number
                numbers = of_level[np.where(is_missing, 0, values).astype(np.int64)]
            found[:, place] = np.where(is_missing, len(bins.points) - 1, numbers)
        return found

    def read_points(self, applicants: Matrix) -> Counts:
        """The points of each field, then of each pair: int64, shape (n, n_scorecard_fields + n_pairs)."""
        found = self.find_bins(applicants)
        fields = [np.array(bins.points)[found[:, place]] for place, bins in enumerate(self.scorecard.fields)]
        pairs = [
            np.array(pair.points)[found[:, pair.fields[0]], found[:, pair.fields[1]]] for pair in self.scorecard.pairs
        ]
        return np.column_stack([*fields, *pairs]) if fields else np.empty((len(applicants), 0), dtype=np.int64)

    def total_points(self, applicants: Matrix) -> Counts:
        """base + all points: int64, shape (n,)."""
        total: Counts = self.scorecard.base + self.read_points(applicants).sum(axis=1)
        return total

    def probability(self, points: npt.ArrayLike) -> Matrix:
        """The probability of default at total points, of any shape."""
        return Sigmoid().apply((self.scorecard.offset - np.asarray(points)) / self.scorecard.factor)

    def find_cutoff(self, threshold: float) -> int:
        """The most points with a probability of default of at least `threshold`, which is above 0 and below 1."""
        scorecard = self.scorecard
        guess = int(np.floor(scorecard.offset - scorecard.factor * np.log(threshold / (1 - threshold))))
        near = np.arange(guess - 2, guess + 3)
        return int(near[self.probability(near) >= threshold].max())

    @property
    def cutoffs(self) -> Cutoffs | None:
        """The points that refusals and reviews end at; None where amounts of money or rules decide besides."""
        policy = self.contract.policy
        if policy.money is not None or policy.rules:
            return None
        return Cutoffs(self.find_cutoff(policy.refuse_from), self.find_cutoff(policy.review_from))

    def decide(self, points: int) -> Decision | None:
        """The decision at total points; None where they alone don't decide."""
        cutoffs = self.cutoffs
        if cutoffs is None:
            return None
        return "refuse" if points <= cutoffs.refuse else "review" if points <= cutoffs.review else "accept"

    @property
    def example(self) -> Example:
        """The golden applicant with the fewest missing values."""
        golden = np.array(self.contract.golden.applicants, dtype=np.float64)
        applicant = golden[np.isnan(golden).sum(axis=1).argmin()][None]
        total = int(self.total_points(applicant)[0])
        return Example(
            values=[float(applicant[0, bins.column]) for bins in self.scorecard.fields],
            points=self.read_points(applicant)[0].tolist(),
            total=total,
            probability=float(self.probability(total)),
            decision=self.decide(total),
        )


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin in words, with its points and facts."""

    words: str
    points: int
    facts: BinFacts


def describe_bins(bins: ScorecardField, field: Field) -> list[Bin]:
    """The bins of a field in their order, the missing values last; without these where they have no answer."""
    words = name_bins(bins, field.levels)
    codes = [write_number(code) for code in field.missing]
    if missing := [*(["missing"] if field.nullable else []), *codes]:
        words.append(" or ".join(missing))
    return [Bin(*one) for one in zip(words, bins.points, bins.facts, strict=False)]


def write_value(field: Field, value: float) -> str:
    """An applicant's value in words."""
    if np.isnan(value):
        return "missing"
    if field.kind == "category":
        return field.levels[int(value)]
    return f"{write_number(value)} {field.unit}".rstrip()


def write_number(number: float) -> str:
    """A number in full, with a true minus sign and thousands separators: '12,500', '−0.25', '1e+20'."""
    text = f"{int(number):,}" if number == int(number) and abs(number) < 1e15 else f"{number:,}".removesuffix(".0")
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _name_intervals(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["any number"]
    named = [write_number(edge) for edge in edges]
    between = [f"{low} to under {high}" for low, high in pairwise(named)]
    return [f"under {named[0]}", *between, f"{named[-1]} or more"]


def name_bins(bins: ScorecardField | FieldBins, levels: Sequence[str]) -> list[str]:
    """The bins of a field in words, without that of missing values; `levels`: of a category."""
    if not bins.groups:
        return _name_intervals(bins.edges)
    return [", ".join(levels[index] for index in group) for group in bins.groups]
