"""Pairs of decisions: of a champion and its challenger, and of a model and the people who review its decisions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from model.bins import Counts, find_bins
from model.contract import Contract
from monitor.tally import BILLION, N_DECISIONS, Marks, Matrix, billionths, bins_size, extend_counts, sum_counts


class Swaps(Struct, frozen=True):
    """What champion and challenger decided about the same applicants.

    `swap_set`: shape (3, 3), rows the champion's decision, columns the challenger's. `champion`, `challenger`: counts
    of their probabilities in the champion's bins.
    """

    scored: int
    swap_set: Counts
    champion_sum: float
    challenger_sum: float
    champion: Counts
    challenger: Counts


class SwapLayout:
    """What is counted of a challenger's answers: two sums, nine entries of the swap set, the probabilities' bins."""

    def __init__(self, champion: Contract | None) -> None:
        self._probability = champion.probability_bins if champion else None
        self._champion = 2 + N_DECISIONS**2
        self._challenger = self._champion + bins_size(self._probability)
        self.size = self._challenger + bins_size(self._probability)

    def mark(self, probability: tuple[Matrix, Matrix], decision: tuple[Counts, Counts]) -> Marks:
        """Answers of champion and challenger about the same applicants: shape (n,) each."""
        places = [2 + N_DECISIONS * decision[0] + decision[1]]
        if self._probability:
            starts = self._champion, self._challenger
            places += [s + find_bins(p, self._probability) for s, p in zip(starts, probability, strict=True)]
        return Marks(self.size, np.hstack([billionths(p) for p in probability]), np.stack(places, axis=1))

    def read(self, vector: Counts) -> Swaps:
        """What a vector, or the sum of several, says."""
        vector = extend_counts(vector, self.size)
        swap_set = vector[2 : self._champion]
        return Swaps(
            scored=int(swap_set.sum()),
            swap_set=swap_set.reshape(N_DECISIONS, N_DECISIONS),
            champion_sum=int(vector[0]) / BILLION,
            challenger_sum=int(vector[1]) / BILLION,
            champion=vector[self._champion : self._challenger],
            challenger=vector[self._challenger : self.size],
        )


def mark_reviews(decision: Counts, final: Counts) -> Marks:
    """Reviews: the model's decision and the final one, int64, shape (n,) each; nine entries, rows the model's."""
    places = N_DECISIONS * decision + final
    return Marks(N_DECISIONS**2, np.zeros((len(final), 0), np.int64), places[:, np.newaxis])


def read_reviews(vectors: Sequence[Counts]) -> Counts:
    """How many reviews have ended so: shape (3, 3), rows the model's decision, columns the final one."""
    return extend_counts(sum_counts(vectors), N_DECISIONS**2).reshape(N_DECISIONS, N_DECISIONS)


def reviews_series(model: str) -> str:
    """The series of reviews of a model's decisions."""
    return f"reviews {model}"


def shadow_series(champion: str, challenger: str) -> str:
    """The series of a challenger's answers beside a champion's."""
    return f"shadow {champion} {challenger}"
