"""Metrics: buffers requests and scores, and passes them to prometheus_client in batches.

An applicant changes some fifty counters, and updating them one applicant at a time would take as long as scoring. The
buffers are flushed when they hold BUFFER_ROWS, once a second, and before GET /metrics.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from model.bins import Bins
from model.contract import Field
from model.session import Matrix, Scores
from serve.schemas.responses import ModelIdentity
from serve.settings import METRICS_FOLDER_VARIABLE

if TYPE_CHECKING:
    from decisions.recorder import RecorderStatus
    from monitor.summary import Monitor
    from serve.challenger import ShadowStatus
    from serve.metrics.collectors import Collectors

BUFFER_ROWS = 256

logger = logging.getLogger("credit")


class Metrics:
    """The metrics of one application in one process; call `set_model` before the first `record_scores`.

    `kept_paths`: routes whose requests are kept for `take_requests`, which must then be called regularly.
    """

    def __init__(self, kept_paths: Collection[str] = ()) -> None:
        if not os.environ.get(METRICS_FOLDER_VARIABLE):
            # To prometheus_client an empty value means the working directory.
            os.environ.pop(METRICS_FOLDER_VARIABLE, None)
        self._requests: list[tuple[str, int, float]] = []
        self._kept_paths = frozenset(kept_paths)
        self._kept: list[tuple[int, float]] = []
        self._buffer: _ScoreBuffer | None = None
        self.monitor: Monitor | None = None
        """What `record_monitor` was given last."""

    @cached_property
    def collectors(self) -> Collectors:
        """The metrics of prometheus_client; imported when first needed, since that takes a tenth of the start."""
        from serve.metrics.collectors import Collectors

        return Collectors()

    def set_model(self, model: ModelIdentity, fields: Sequence[Field], bins: Sequence[Bins] = ()) -> None:
        """Buffer the scores of this model from now on, and count them by `bins`, as `list_bins` gives them."""
        if self._buffer:
            self._buffer.count(self.collectors)
        self._buffer = _ScoreBuffer(model, fields, bins)

    def record_request(self, path: str, status: int, seconds: float) -> None:
        """Record an answered request; `path` is that of its route."""
        self._requests.append((path, status, seconds))
        if len(self._requests) == BUFFER_ROWS:
            with _log_os_errors():
                self._count_requests()

    def record_scores(self, model: ModelIdentity, fields: Sequence[Field], applicants: Matrix, scores: Scores) -> None:
        """Record applicants, float64, shape (n, n_fields), and their scores by a model."""
        buffer = self._buffer
        if buffer and buffer.model is model and buffer.add(applicants, scores):
            return
        with _log_os_errors():
            if buffer and buffer.model is model:
                buffer.count(self.collectors)
            if not (buffer and buffer.model is model and buffer.add(applicants, scores)):
                # More than the buffer holds, or scored by a model that was replaced meanwhile.
                for_model = self.collectors.for_model(model.version, fields)
                for_model.count(applicants, scores.probability, scores.decision)

    def flush(self, in_flight: int) -> None:
        """Pass on all that is buffered, and set the gauge of requests in flight."""
        with _log_os_errors():
            self.collectors.in_flight.set(in_flight)
            self._count_requests()
            if self._buffer:
                self._buffer.count(self.collectors)
            self.collectors.flush_bins()

    def record_recording(self, status: RecorderStatus, commits: Sequence[float]) -> None:
        """Pass on how the recording of decisions goes, and the seconds of its transactions since the last call."""
        with _log_os_errors():
            self.collectors.recording.update(status, commits)

    def record_challenger(self, status: ShadowStatus) -> None:
        """Pass on how the challenger does."""
        with _log_os_errors():
            self.collectors.challenger.update(status)

    def record_monitor(self, monitor: Monitor) -> None:
        """Show this summary of the records from now on."""
        self.monitor = monitor

    def take_requests(self) -> list[tuple[int, float]]:
        """Status and seconds of the requests to `kept_paths` that were counted since the last call."""
        kept, self._kept = self._kept, []
        return kept

    def _count_requests(self) -> None:
        requests, self._requests = self._requests, []
        if self._kept_paths:
            self._kept += [(status, seconds) for path, status, seconds in requests if path in self._kept_paths]
        for path, status, seconds in requests:
            self.collectors.count_request(path, status, seconds)


@contextmanager
def _log_os_errors() -> Iterator[None]:
    """Log an OSError, such as a full disk in the folder of metrics, instead of failing the request."""
    try:
        yield
    except OSError:
        logger.exception("metrics are lost")


class _ScoreBuffer:
    """Applicants scored by the model in service that prometheus_client has not counted yet."""

    def __init__(self, model: ModelIdentity, fields: Sequence[Field], bins: Sequence[Bins]) -> None:
        self.model, self._fields, self._bins = model, fields, bins
        self._applicants, self._probability = np.empty((BUFFER_ROWS, len(fields))), np.empty(BUFFER_ROWS)
        self._decision = np.empty(BUFFER_ROWS, np.int64)
        self._rows = 0

    def add(self, applicants: Matrix, scores: Scores) -> bool:
        """Copy n applicants and their scores into the buffer; false if they don't fit."""
        start, stop = self._rows, self._rows + len(applicants)
        if stop > BUFFER_ROWS:
            return False
        self._applicants[start:stop] = applicants
        self._probability[start:stop] = scores.probability
        self._decision[start:stop] = scores.decision
        self._rows = stop
        return True

    def count(self, collectors: Collectors) -> None:
        """Count and clear the buffer; an empty one creates the series of the model with zeros."""
        rows, self._rows = self._rows, 0
        for_model = collectors.for_model(self.model.version, self._fields, self._bins)
        for_model.count(self._applicants[:rows], self._probability[:rows], self._decision[:rows])
