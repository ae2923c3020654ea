"""The metrics of the service as prometheus_client keeps them: in memory, or with PROMETHEUS_MULTIPROC_DIR in files.

HTTP requests by route, and what was scored by model version. No value of an applicant is in them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from model.contract import Field
from model.policy import DECISIONS
from model.session import Matrix

# No `_created` series beside each counter: nobody reads them.
disable_created_metrics()

SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends of the buckets of the latency histogram."""

EDGES = tuple(step / 20 for step in range(1, 21))
"""Upper ends of the buckets of probabilities."""

_EDGES = np.array(EDGES)

BUCKETS, SUM = "credit_probability_by_bucket", "credit_probability_added"
"""Counters of which serve/metrics/exposition.py makes the histogram `credit_probability`: a Histogram takes one value a
call, which would take as long as scoring a batch."""


class Collectors:
    """All metrics of one application in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter("http_requests", "Answered requests.", ["path", "status"], registry=registry)
        self._seconds = Histogram(
            "http_request_seconds",
            "From the start of a request to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum", registry=registry
        )
        self.applicants = Counter("credit_applicants", "Applicants scored.", ["version"], registry=registry)
        self.decisions = Counter("credit_decisions", "Decisions.", ["version", "decision"], registry=registry)
        self.buckets = Counter(BUCKETS, "Probabilities of default given.", ["version", "le"], registry=registry)
        self.sum = Counter(SUM, "Sum of the probabilities given.", ["version"], registry=registry)
        names = ["version", "field"]
        self.missing = Counter("credit_missing_values", "Applicants without a value.", names, registry=registry)
        self.outside = Counter(
            "credit_out_of_bounds", "Applicants outside the documented bounds.", names, registry=registry
        )

        self._of_model: dict[tuple[str, tuple[Field, ...]], ModelCollectors] = {}
        self._of_route: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """A request to a route was answered."""
        found = self._of_route.get((path, status))
        if found is None:
            found = self._requests.labels(path, str(status)), self._seconds.labels(path)
            self._of_route[path, status] = found
        requests, durations = found
        requests.inc()
        durations.observe(seconds)

    def of_model(self, version: str, fields: Sequence[Field]) -> ModelCollectors:
        """The metrics of one version of a model, at zero the first time."""
        key = version, tuple(fields)
        if key not in self._of_model:
            self._of_model[key] = ModelCollectors(self, version, fields)
        return self._of_model[key]


class ModelCollectors:
    """What was scored by one version of a model."""

    def __init__(self, collectors: Collectors, version: str, fields: Sequence[Field]) -> None:
        names = [field.name for field in fields]
        self._applicants, self._sum = collectors.applicants.labels(version), collectors.sum.labels(version)
        self._decisions = [collectors.decisions.labels(version, decision) for decision in DECISIONS]
        self._buckets = [collectors.buckets.labels(version, f"{edge:g}") for edge in EDGES]
        self._missing = [collectors.missing.labels(version, name) for name in names]
        self._outside = [collectors.outside.labels(version, name) for name in names]
        self._lowest = np.array([-np.inf if field.minimum is None else field.minimum for field in fields])
        self._highest = np.array([np.inf if field.maximum is None else field.maximum for field in fields])

    def count(self, applicants: Matrix, probability: Matrix, decision: npt.NDArray[np.int64]) -> None:
        """Count n applicants, float64, shape (n, n_fields), and their scores, shape (n,) each."""
        if not len(applicants):
            return
        self._applicants.inc(len(applicants))
        _add(self._decisions, np.bincount(decision).tolist())
        # A probability on an edge belongs to the bucket below it, as Prometheus has it.
        _add(self._buckets, np.bincount(np.searchsorted(_EDGES, probability, side="left")).tolist())
        self._sum.inc(float(probability.sum()))
        _add(self._missing, _count(np.isnan(applicants)))
        _add(self._outside, _count((applicants < self._lowest) | (applicants > self._highest)))


def _add(counters: Sequence[Counter], counts: Sequence[float]) -> None:
    for counter, count in zip(counters, counts, strict=False):
        if count:
            counter.inc(count)


def _count(flags: npt.NDArray[np.bool_]) -> list[float]:
    """How many of each column, shape (n, n_columns), are set: whole numbers, exact up to 2^24 rows."""
    # A product with ones takes a third of the time of sum(axis=0).
    return (np.ones(len(flags), np.float32) @ flags.astype(np.float32)).tolist()  # type: ignore[no-any-return]
