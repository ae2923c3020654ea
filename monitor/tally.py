"""Tally: how many decisions fell where, in a slot of ten minutes or a day; a vector of integers in the database.

Vectors of the same series add up, and one that ends earlier stands for zeros. What an entry means must not change
without a migration that empties the tables `tallied` and `tallies`, so that everything is counted again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from decisions.store import StoreError
from model.bins import Bins, Counts, find_bins
from model.contract import Contract
from model.policy import DECISIONS

SECOND = 1_000_000
"""Microseconds; records have their times in them, tallies in seconds."""

SLOT, DAY = 600, 86_400
"""Widths of the tallies, seconds."""

KEPT_SLOTS = 8 * DAY
"""Age from which a slot is dropped; days are kept."""

REQUESTS = "requests"
"""Series of the service's answers: how many took at most each of LATENCY_BOUNDS, more, and had a status of 5xx."""

LATENCY_BOUNDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the latencies counted, seconds."""

BILLION = 1_000_000_000
"""Sums of probabilities are whole billionths, so that they add up exactly in any order."""

N_DECISIONS = len(DECISIONS)

Matrix = npt.NDArray[np.float64]


class Tally(Struct, frozen=True):
    """What a model decided.

    `by_decision`: in the order of DECISIONS. `complete`: decisions whose inputs are counted, as they are not erased.
    `probability`, `fields`: counts of the bins of the model file, in the layout of `count_values`; empty without bins.
    `rules`: how many of the complete ones each rule of the model decided.
    """

    decisions: int
    by_decision: Counts
    sum_probability: float
    complete: int
    probability: Counts
    fields: tuple[Counts, ...]
    rules: Counts

    @property
    def mean_probability(self) -> float | None:
        """The mean probability of default."""
        return self.sum_probability / self.decisions if self.decisions else None


class Marks(Struct, frozen=True):
    """Where each of n records counts in a vector of `size` entries.

    `sums`: what it adds to the first entries, int64, shape (n, n_sums). `places`: the entries to which it adds one,
    int64, shape (n, k).
    """

    size: int
    sums: Counts
    places: Counts

    def add_up(self, rows: npt.NDArray[np.int64] | slice = slice(None)) -> Counts:
        """The vector of some of the records."""
        vector = np.bincount(self.places[rows].ravel(), minlength=self.size)
        vector[: self.sums.shape[1]] += self.sums[rows].sum(axis=0)
        return vector


class Layout:
    """What is counted of the decisions of a model.

    A vector: sum of the probabilities, one entry for each of DECISIONS, complete; then the bins of the probability and
    of each field; then one entry for each rule. Without a contract, or one without bins and rules, it ends before them.
    """

    def __init__(self, contract: Contract | None) -> None:
        self._probability = contract.probability_bins if contract else None
        self._fields = contract.bins if contract else ()
        self._policy = contract.policy if contract and contract.policy.rules else None
        sizes = [1, N_DECISIONS, 1, bins_size(self._probability), *map(bins_size, self._fields)]
        _, self._decision, self._complete, self._bins, *self._starts = accumulate(sizes, initial=0)
        self.size = self._starts[-1] + (len(self._policy.rules) if self._policy else 0)
        self.n_inputs = len(contract.fields) if contract and (self._fields or self._policy) else 0

    def mark_answers(self, probability: Matrix, decision: npt.NDArray[np.int64]) -> Marks:
        """Answers: float64 and int64, index into DECISIONS, shape (n,) each."""
        places = [self._decision + decision]
        if self._probability:
            places.append(self._bins + find_bins(probability, self._probability))
        return Marks(self.size, billionths(probability), np.stack(places, axis=1))

    def mark_inputs(self, applicants: Matrix) -> Marks:
        """Inputs, float64, shape (m, n_fields), of the decisions that are not erased."""
        places = np.empty((len(applicants), 1 + len(self._fields)), np.int64)
        places[:, 0] = self._complete
        for number, (start, bins) in enumerate(zip(self._starts, self._fields, strict=False)):
            places[:, 1 + number] = start + find_bins(applicants[:, number], bins)
        return Marks(self.size, np.zeros((len(applicants), 0), np.int64), places)

    def mark_rules(self, applicants: Matrix, decision: npt.NDArray[np.int64]) -> tuple[Counts, Marks]:
        """Rows of applicants, shape (m, n_fields), with decisions, (m,), that a rule decided, and the marks of each.

        An applicant is repeated for each of its rules.
        """
        deciding = self._policy.find_deciding_rules(decision, applicants) if self._policy else _NO_RULES
        rows, rules = np.nonzero(deciding)
        places = (self._starts[-1] + rules)[:, np.newaxis]
        return rows, Marks(self.size, np.zeros((len(rows), 0), np.int64), places)

    def count(self, applicants: Matrix, probability: Matrix, decision: npt.NDArray[np.int64]) -> Counts:
        """The vector of n decisions, m of whose inputs are not erased."""
        counts = self.mark_answers(probability, decision).add_up()
        return counts + self.mark_inputs(applicants).add_up() if self.n_inputs else counts

    def read(self, vector: Counts) -> Tally:
        """What a vector, or the sum of several, says."""
        vector = extend_counts(vector, self.size)
        by_decision = vector[self._decision : self._complete]
        return Tally(
            decisions=int(by_decision.sum()),
            by_decision=by_decision,
            sum_probability=int(vector[0]) / BILLION,
            complete=int(vector[self._complete]),
            probability=vector[self._bins : self._starts[0]],
            fields=tuple(vector[start:end] for start, end in zip(self._starts, self._starts[1:], strict=False)),
            rules=vector[self._starts[-1] : self.size],
        )


def decisions_series(model: str) -> str:
    """The series of a model's decisions, by its SHA-256."""
    return f"decisions {model}"


def write_counts(vector: Counts) -> bytes:
    """A vector as it is stored."""
    return zlib.compress(vector.astype("<i8").tobytes(), 1)


def read_counts(content: bytes) -> Counts:
    """A stored vector: int64; raises StoreError."""
    try:
        return np.frombuffer(zlib.decompress(content), "<i8").astype(np.int64)
    except (zlib.error, TypeError, ValueError) as error:
        raise StoreError(
            f"a row of the table tallies can't be read ({error}): delete all rows of tallies and tallied, and "
            "everything is counted again"
        ) from error


def add_counts(one: bytes, other: bytes) -> bytes:
    """The sum of two stored vectors."""
    return write_counts(sum_counts([read_counts(one), read_counts(other)]))


def sum_counts(vectors: Sequence[Counts]) -> Counts:
    """The sum of vectors, as long as the longest; empty without any."""
    size = max(map(len, vectors), default=0)
    return (
        np.sum([extend_counts(vector, size) for vector in vectors], axis=0, dtype=np.int64)
        if vectors
        else extend_counts(_NONE, 0)
    )


def group_by(starts: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """The indices of equal values, group by group."""
    order = np.argsort(starts, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(starts[order])) + 1) if len(order) else ()


def group_by_month(time: npt.NDArray[np.int64]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Months (YYYY-MM) in their order, each with the indices of its times, microseconds since 1970, in theirs."""
    months = time.astype("datetime64[us]").astype("datetime64[M]")
    for rows in group_by(months.astype(np.int64)):
        yield str(months[rows[0]]), rows


def extend_counts(vector: Counts, size: int) -> Counts:
    """A vector with zeros after its end, if it is shorter than this."""
    return vector if len(vector) >= size else np.pad(vector, (0, size - len(vector)))


def bins_size(bins: Bins | None) -> int:
    """Entries of `count_values`; 0 without bins."""
    return len(bins.counts) + 2 if bins else 0


def billionths(probability: Matrix) -> Counts:
    """Probabilities, shape (n,), as sums of Marks: shape (n, 1)."""
    return np.rint(probability * BILLION).astype(np.int64)[:, np.newaxis]


_NONE: Counts = np.zeros(0, np.int64)

_NO_RULES = np.zeros((0, 0), np.bool_)
