"""The counters, gauges and histograms of the service in prometheus_client.

They are kept in memory, or in files if PROMETHEUS_MULTIPROC_DIR is set. None holds a value of an applicant.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from model.bins import Bins
from model.contract import Field
from model.missing import blank_codes
from model.policy import DECISIONS
from model.session import Matrix
from serve.metrics.bins import VALUES_PER_FLUSH, BinCounter, list_series
from serve.metrics.challenger import ChallengerCollectors

if TYPE_CHECKING:
    from decisions.recorder import RecorderStatus

# Omits the `_created` series, which would double the size of GET /metrics.
disable_created_metrics()

LATENCY_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds in seconds."""

PROBABILITY_BUCKETS = tuple(step / 20 for step in range(1, 21))
"""Upper bounds."""

_PROBABILITY_BUCKETS = np.array(PROBABILITY_BUCKETS)

BUCKET_COUNTER, SUM_COUNTER = "credit_probability_by_bucket", "credit_probability_added"
"""serve/metrics/exposition.py makes the histogram `credit_probability` of these counters. A Histogram takes one value
per call, which would take as long as scoring a batch."""


class Collectors:
    """All metrics of one application in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter("http_requests", "Answered requests.", ["path", "status"], registry=registry)
        self._seconds = Histogram(
            "http_request_seconds",
            "From the start of a request to the end of its response.",
            ["path"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum", registry=registry
        )
        self.applicants = Counter("credit_applicants", "Applicants scored.", ["version"], registry=registry)
        self.decisions = Counter("credit_decisions", "Decisions.", ["version", "decision"], registry=registry)
        self.buckets = Counter(BUCKET_COUNTER, "Probabilities of default given.", ["version", "le"], registry=registry)
        self.sum = Counter(SUM_COUNTER, "Sum of the probabilities given.", ["version"], registry=registry)
        names = ["version", "field"]
        self.missing = Counter("credit_missing_values", "Applicants without a value.", names, registry=registry)
        self.outside = Counter(
            "credit_out_of_bounds", "Applicants outside the documented bounds.", names, registry=registry
        )
        self._for_model: dict[tuple[str, tuple[Field, ...]], ModelCollectors] = {}
        self._by_route: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    @cached_property
    def bins(self) -> Counter:
        """Applicants by field and bin, created when first needed: where decisions aren't recorded."""
        names = ["version", "field", "bin"]
        return Counter("credit_values_by_bin", "Applicants in each bin of a field.", names, registry=self.registry)

    @cached_property
    def recording(self) -> RecordingCollectors:
        """The metrics of recording decisions, created when first needed."""
        return RecordingCollectors(self.registry)

    @cached_property
    def challenger(self) -> ChallengerCollectors:
        """The metrics of the challenger, created when first needed."""
        return ChallengerCollectors(self.registry)

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request; `path` is that of its route."""
        found = self._by_route.get((path, status))
        if found is None:
            found = self._requests.labels(path, str(status)), self._seconds.labels(path)
            self._by_route[path, status] = found
        requests, durations = found
        requests.inc()
        durations.observe(seconds)

    def for_model(self, version: str, fields: Sequence[Field], bins: Sequence[Bins] = ()) -> ModelCollectors:
        """The metrics of a version of a model, created with zeros at the first call; `bins` as in `list_bins`."""
        key = version, tuple(fields)
        if key not in self._for_model:
            self._for_model[key] = ModelCollectors(self, version, fields, bins)
        return self._for_model[key]

    def flush_bins(self) -> None:
        """Pass on what is counted by bin."""
        for one in self._for_model.values():
            one.flush()


class RecordingCollectors:
    """The metrics of recording decisions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._recorded = Counter("credit_decisions_recorded", "Records written.", registry=registry)
        self._failed = Counter(
            "credit_decisions_not_recorded", "Decisions refused because they could not be recorded.", registry=registry
        )
        self._waiting = Gauge(
            "credit_decisions_waiting", "Records that wait.", multiprocess_mode="livesum", registry=registry
        )
        self._spooled = Gauge(
            "credit_decisions_spooled", "Records in the local spool.", multiprocess_mode="livesum", registry=registry
        )
        self._connected = Gauge(
            "credit_decisions_connected",
            "1 if every worker can use the database.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._seconds = Histogram(
            "credit_decisions_commit_seconds",
            "Duration of the transactions that write records.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._counted = 0, 0

    def update(self, status: RecorderStatus, commits: Sequence[float]) -> None:
        """Set the gauges, and count what is new since the last call."""
        recorded, failed = self._counted
        self._recorded.inc(status.recorded - recorded)
        self._failed.inc(status.failed - failed)
        self._counted = status.recorded, status.failed
        self._waiting.set(status.waiting)
        self._spooled.set(status.spooled)
        self._connected.set(status.is_connected)
        for seconds in commits:
            self._seconds.observe(seconds)


class ModelCollectors:
    """The metrics of the applicants that one version of a model has scored."""

    def __init__(
        self, collectors: Collectors, version: str, fields: Sequence[Field], bins: Sequence[Bins] = ()
    ) -> None:
        names = [field.name for field in fields]
        self._fields = fields
        self._applicants, self._sum = collectors.applicants.labels(version), collectors.sum.labels(version)
        self._decisions = [collectors.decisions.labels(version, decision) for decision in DECISIONS]
        self._buckets = [collectors.buckets.labels(version, f"{edge:g}") for edge in PROBABILITY_BUCKETS]
        self._missing = [collectors.missing.labels(version, name) for name in names]
        self._outside = [collectors.outside.labels(version, name) for name in names]
        self._lowest = np.array([-np.inf if field.minimum is None else field.minimum for field in fields])
        self._highest = np.array([np.inf if field.maximum is None else field.maximum for field in fields])
        self._bins = _BinCollectors(collectors.bins, version, fields, bins) if bins else None

    def count(self, applicants: Matrix, probability: Matrix, decision: npt.NDArray[np.int64]) -> None:
        """Count n applicants, float64, shape (n, n_fields), and their scores, shape (n,) each."""
        if not len(applicants):
            return
        self._applicants.inc(len(applicants))
        _add(self._decisions, np.bincount(decision).tolist())
        # The upper bound belongs to the bucket, as Prometheus defines it.
        _add(self._buckets, np.bincount(np.searchsorted(_PROBABILITY_BUCKETS, probability, side="left")).tolist())
        self._sum.inc(float(probability.sum()))
        values = blank_codes(applicants, self._fields)
        _add(self._missing, _count(np.isnan(values)))
        _add(self._outside, _count((values < self._lowest) | (values > self._highest)))
        if self._bins:
            self._bins.count(applicants, probability)

    def flush(self) -> None:
        """Pass on the counts by bin."""
        if self._bins:
            self._bins.flush()


class _BinCollectors:
    """Applicants by bin, passed on once a second: there are a dozen counters for each field."""

    def __init__(self, counter: Counter, version: str, fields: Sequence[Field], bins: Sequence[Bins]) -> None:
        self._counter = BinCounter(fields, bins)
        series = list_series(fields, bins)
        self._places = [one.place for one in series]
        self._counters = [counter.labels(version, one.field, one.bin) for one in series]
        self._counts = np.zeros(self._counter.size, np.int64)
        self._limit = self._left = max(1, VALUES_PER_FLUSH // len(bins))

    def count(self, applicants: Matrix, probability: Matrix) -> None:
        if self._left:
            self._counts += self._counter.count(applicants[: self._left], probability[: self._left])
            self._left = max(0, self._left - len(applicants))

    def flush(self) -> None:
        if self._left < self._limit:
            _add(self._counters, self._counts[self._places].tolist())
            self._counts[:], self._left = 0, self._limit


def _add(counters: Sequence[Counter], counts: Sequence[float]) -> None:
    for counter, count in zip(counters, counts, strict=False):
        if count:
            counter.inc(count)


def _count(flags: npt.NDArray[np.bool_]) -> list[float]:
    """The number of true values per column, shape (n, n_columns); exact up to 2^24 rows."""
    # A matrix product takes a third of the time of sum(axis=0).
    return (np.ones(len(flags), np.float32) @ flags.astype(np.float32)).tolist()  # type: ignore[no-any-return]
