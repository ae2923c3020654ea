"""Shifts: how far probability and fields are from those of the training applicants, in the bins of the model file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.bins import Counts, name_bins, published_counts
from model.contract import Contract, Field
from model.stability import FALSE_ALARMS, ShiftVerdict, measure_noise, name_shift, psi
from monitor.tally import Tally


class BinShare(Struct, frozen=True):
    """One bin of a field: the share of the training applicants in it, and that of the applicants compared."""

    name: str
    expected: float
    share: float


class FieldShift(Struct, frozen=True):
    """How far a field (`field` "" = the probability) has moved.

    `psi`: population stability index. `noise`: what the index stays below without a shift.
    """

    field: str
    label: str
    psi: float
    noise: float
    verdict: ShiftVerdict
    bins: list[BinShare]


class Shifts(Struct, frozen=True):
    """The shift of the probability, None if there is nothing to compare, and those of the fields."""

    probability: FieldShift | None
    fields: list[FieldShift]


class Reference:
    """The training applicants, as the bins of a model file show them.

    `compared`: number of fields that can be compared.
    """

    def __init__(self, contract: Contract) -> None:
        self._fields = [None, *contract.fields[: len(contract.bins)]]
        self._bins = [contract.probability_bins, *contract.bins]
        pairs = zip(self._bins, self._fields, strict=True)
        self._names = [name_bins(bins, field.levels if field else ()) if bins else [] for bins, field in pairs]
        self.compared = len(contract.bins)

    def measure(self, tally: Tally) -> Shifts:
        """The shifts of a tally."""
        before, after = self._count([tally])
        indices = _measure_psi(before, after)[0].tolist()
        chance = FALSE_ALARMS / len(indices)
        shifts = [
            None if math.isnan(index) else _compare(field, names, b[: len(names)], a[: len(names)], index, chance)
            for field, names, b, a, index in zip(self._fields, self._names, before[0], after[0], indices, strict=True)
        ]
        return Shifts(shifts[0], [shift for shift in shifts[1:] if shift is not None])

    def measure_psi(self, tallies: Sequence[Tally]) -> npt.NDArray[np.float64]:
        """The index of the probability and of each field, shape (n_tallies, 1 + compared); NaN without applicants."""
        return _measure_psi(*self._count(tallies))

    def find_shifts(self, tallies: Sequence[Tally]) -> list[dict[str, ShiftVerdict]]:
        """What isn't stable in each tally: name of the field, "" for the probability → how far it has shifted."""
        before, after = self._count(tallies)
        names = [field.name if field else "" for field in self._fields]
        indices = np.nan_to_num(_measure_psi(before, after))
        noises = measure_noise(before, after, FALSE_ALARMS / len(names))
        verdicts = [
            {name: name_shift(*pair) for name, pair in zip(names, zip(*pairs, strict=True), strict=True)}
            for pairs in zip(indices.tolist(), noises.tolist(), strict=True)
        ]
        return [{name: word for name, word in found.items() if word != "stable"} for found in verdicts]

    def _count(self, tallies: Sequence[Tally]) -> tuple[Counts, Counts]:
        """Counts of training applicants and tallies, shape (n_tallies, 1 + compared, n), ending in zeros."""
        shape = len(tallies), len(self._bins), max(map(len, self._names))
        before, after = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        counts = zip(*((tally.probability, *tally.fields) for tally in tallies), strict=True)
        for row, (bins, seen) in enumerate(zip(self._bins, map(np.array, counts), strict=True)):
            if bins:
                before[:, row, : seen.shape[1]] = published_counts(bins, seen)
                after[:, row, : seen.shape[1]] = seen
        return before, after


def compare_probabilities(contract: Contract, champion: Counts, challenger: Counts) -> FieldShift | None:
    """The shift from one model's probabilities to another's, counts of the contract's bins; None without any."""
    if contract.probability_bins is None or not champion.any():
        return None
    names, index = name_bins(contract.probability_bins), float(psi(champion, challenger))
    return _compare(None, names, champion, challenger, index, FALSE_ALARMS)


def _compare(
    field: Field | None, names: Sequence[str], before: Counts, after: Counts, index: float, chance: float
) -> FieldShift:
    """The shift from one to another sample, counts of the same bins; `chance`: that noise is taken for a shift."""
    noise = float(measure_noise(before, after, chance))
    shares = zip(names, (before / before.sum()).tolist(), (after / after.sum()).tolist(), strict=True)
    return FieldShift(
        field=field.name if field else "",
        label=field.label if field else "Probability of default",
        psi=index,
        noise=noise,
        verdict=name_shift(index, noise),
        bins=[BinShare(*share) for share in shares if share[1] or share[2]],
    )


def _measure_psi(before: Counts, after: Counts) -> npt.NDArray[np.float64]:
    indices = psi(before, after)
    indices[(before.sum(axis=-1) == 0) | (after.sum(axis=-1) == 0)] = np.nan
    return indices
