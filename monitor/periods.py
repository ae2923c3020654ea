"""Periods: what was decided, reviewed and answered by day and by week."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from model.policy import DECISIONS
from model.session import Model
from model.stability import ShiftVerdict
from monitor.reading import WEEK, Tallies
from monitor.shifts import Reference
from monitor.swaps import read_reviews, reviews_series
from monitor.tally import LATENCY_BOUNDS, REQUESTS, Layout, decisions_series, extend_counts, sum_counts

REVIEW = DECISIONS.index("review")


class Period(Struct, frozen=True):
    """A day, or a week from Monday, in UTC: decisions of all models by version; indices of the model in service.

    `start`: YYYY-MM-DD. `field_psi`: by name, of weeks only, and so is `shifts`: what isn't stable, the probability as
    "". `overrides`: reviews that change the model's decision,
    unless it was "review". `latency_p50`, `latency_p95`: seconds. `errors`: answers with a status of 5xx.
    """

    start: str
    decisions: int
    accepted: int
    reviewed: int
    refused: int
    mean_probability: float | None
    probability_psi: float | None
    field_psi: dict[str, float]
    shifts: dict[str, ShiftVerdict]
    reviews: int
    overrides: int
    latency_p50: float | None
    latency_p95: float | None
    errors: int
    versions: dict[str, int]


class Periods:
    """Makes the figures of days and weeks. `versions`: of models by SHA-256."""

    def __init__(self, tallies: Tallies, model: Model, reference: Reference, versions: Mapping[str, str]) -> None:
        self._tallies, self._model, self._reference, self._versions = tallies, model, reference, versions

    def make(self, starts: Sequence[int], width: int) -> list[Period]:
        """The periods that begin at these times and are so many seconds long."""
        layout, series = Layout(self._model.contract), decisions_series(self._model.sha256)
        own = [layout.read(self._tallies.sum_days(series, start, start + width)) for start in starts]
        indices = self._reference.measure_psi(own).tolist() if own else []
        shifts = self._reference.find_shifts(own) if own and width == WEEK else [{} for _ in own]
        return [self._make(start, width, *found) for start, *found in zip(starts, indices, shifts, strict=True)]

    def _make(self, start: int, width: int, indices: Sequence[float], shifts: dict[str, ShiftVerdict]) -> Period:
        end, (probability_psi, *field_psi) = start + width, indices
        answers = {
            sha: self._tallies.sum_days(decisions_series(sha), start, end)[: Layout(None).size]
            for sha in self._tallies.list_models("decisions")
        }
        versions: dict[str, int] = {}
        for sha, vector in answers.items():
            if (decisions := Layout(None).read(vector).decisions) > 0:
                version = self._versions.get(sha, sha[:12])
                versions[version] = versions.get(version, 0) + decisions
        tally = Layout(None).read(sum_counts(list(answers.values())))
        accepted, reviewed, refused = tally.by_decision.tolist()
        reviews = read_reviews(
            [self._tallies.sum_days(reviews_series(sha), start, end) for sha in self._tallies.list_models("reviews")]
        )
        *latencies, errors = extend_counts(
            self._tallies.sum_days(REQUESTS, start, end), len(LATENCY_BOUNDS) + 2
        ).tolist()
        names = [field.name for field in self._model.contract.fields]
        is_week = width == WEEK
        return Period(
            start=f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}",
            decisions=tally.decisions,
            accepted=accepted,
            reviewed=reviewed,
            refused=refused,
            mean_probability=tally.mean_probability,
            probability_psi=None if math.isnan(probability_psi) else probability_psi,
            field_psi={
                name: psi for name, psi in zip(names, field_psi, strict=False) if is_week and not math.isnan(psi)
            },
            shifts=shifts,
            reviews=int(reviews.sum()),
            overrides=int(reviews.sum() - reviews.trace() - reviews[REVIEW].sum() + reviews[REVIEW, REVIEW]),
            latency_p50=find_quantile(latencies, 0.5),
            latency_p95=find_quantile(latencies, 0.95),
            errors=errors,
            versions=versions,
        )


def find_quantile(latencies: Sequence[int], share: float) -> float | None:
    """The latency, in seconds, that this share of requests stays below, interpolated within a bucket.

    `latencies`: requests up to each of LATENCY_BOUNDS, and above the last, which stands for all of those.
    """
    wanted, below, low = share * sum(latencies), 0, 0.0
    for count, bound in zip(latencies, (*LATENCY_BOUNDS, LATENCY_BOUNDS[-1]), strict=True):
        if count and below + count >= wanted:
            return low + (bound - low) * (wanted - below) / count
        below, low = below + count, bound
    return None
