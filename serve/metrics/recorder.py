"""What the service records of each request and applicant, and hands on to prometheus_client some hundred at a time.

Updating some fifty counters for one applicant takes as long as scoring it: requests and applicants are buffered, and
counted together when BUFFER_ROWS are full, once a second, and before the metrics are read.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from model.contract import Field
from model.session import Matrix, Scores
from serve.schemas.responses import ModelName

if TYPE_CHECKING:
    from serve.metrics.collectors import Collectors

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus_client: where the workers of one service have their files."""

BUFFER_ROWS = 256

logger = logging.getLogger("credit")


class Metrics:
    """The metrics of one application in one process; `set_model` comes before the first scores."""

    def __init__(self) -> None:
        if not os.environ.get(FOLDER):
            # Set but empty would mean the working directory to prometheus_client.
            os.environ.pop(FOLDER, None)
        self._requests: list[tuple[str, int, float]] = []
        self._buffer: _ScoreBuffer | None = None

    @cached_property
    def collectors(self) -> Collectors:
        """Where everything is counted; imported when first needed, since that takes a tenth of the start."""
        from serve.metrics.collectors import Collectors

        return Collectors()

    def set_model(self, model: ModelName, fields: Sequence[Field]) -> None:
        """Buffer the scores of this model from now on."""
        if self._buffer:
            self._buffer.count(self.collectors)
        self._buffer = _ScoreBuffer(model, fields)

    def record_request(self, path: str, status: int, seconds: float) -> None:
        """A request to a route was answered."""
        self._requests.append((path, status, seconds))
        if len(self._requests) == BUFFER_ROWS:
            with _logged():
                self._count_requests()

    def record_scores(self, model: ModelName, fields: Sequence[Field], applicants: Matrix, scores: Scores) -> None:
        """Applicants were scored by a model: float64, shape (n, n_fields), and their scores."""
        buffer = self._buffer
        if buffer and buffer.model is model and buffer.add(applicants, scores):
            return
        with _logged():
            if buffer and buffer.model is model and len(applicants) <= BUFFER_ROWS:
                buffer.count(self.collectors)
                buffer.add(applicants, scores)
            else:
                # Many at once, or by a model that was replaced while it scored them.
                of_model = self.collectors.of_model(model.version, fields)
                of_model.count(applicants, scores.probability, scores.decision)

    def flush(self, in_flight: int) -> None:
        """Count all that is buffered, and the requests in flight."""
        with _logged():
            self.collectors.in_flight.set(in_flight)
            self._count_requests()
            if self._buffer:
                self._buffer.count(self.collectors)

    def _count_requests(self) -> None:
        requests, self._requests = self._requests, []
        for path, status, seconds in requests:
            self.collectors.count_request(path, status, seconds)


@contextmanager
def _logged() -> Iterator[None]:
    """Let no answer fail for its metrics, such as on a full disk, where the workers share them."""
    try:
        yield
    except OSError:
        logger.exception("metrics are lost")


class _ScoreBuffer:
    """The last applicants that the model in service has scored."""

    def __init__(self, model: ModelName, fields: Sequence[Field]) -> None:
        self.model, self._fields = model, fields
        self._applicants, self._probability = np.empty((BUFFER_ROWS, len(fields))), np.empty(BUFFER_ROWS)
        self._decision = np.empty(BUFFER_ROWS, np.int64)
        self._rows = 0

    def add(self, applicants: Matrix, scores: Scores) -> bool:
        """Whether there was room to copy n applicants and their scores, which may change afterwards."""
        start, stop = self._rows, self._rows + len(applicants)
        if stop > BUFFER_ROWS:
            return False
        self._applicants[start:stop] = applicants
        self._probability[start:stop] = scores.probability
        self._decision[start:stop] = scores.decision
        self._rows = stop
        return True

    def count(self, collectors: Collectors) -> None:
        """Count what is buffered; nothing yet makes each series a zero."""
        rows, self._rows = self._rows, 0
        of_model = collectors.of_model(self.model.version, self._fields)
        of_model.count(self._applicants[:rows], self._probability[:rows], self._decision[:rows])
