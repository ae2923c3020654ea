"""Writes GET /metrics in Prometheus' text format: of this process, or of all workers of the service."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serve.metrics.collectors import BUCKET_COUNTER, SUM_COUNTER
from serve.schemas.responses import ModelIdentity
from serve.settings import METRICS_FOLDER_VARIABLE

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0


def write_metrics(registry: CollectorRegistry, model: ModelIdentity, gauges: Iterable[Metric] = ()) -> bytes:
    """The exposition, with further gauges; reads the files of all workers if PROMETHEUS_MULTIPROC_DIR is set."""
    source: Any = registry
    folder = os.environ.get(METRICS_FOLDER_VARIABLE)
    if folder:
        remove_dead_workers(Path(folder))
        source = MultiProcessCollector(None, folder)
    return generate_latest(_Exposition([*source.collect(), *gauges], model))


def remove_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that have ended; their counters stay, since a counter must never decrease."""
    for file in folder.glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if not _is_alive(int(pid)):
            # Another worker may have removed it at the same time.
            with suppress(FileNotFoundError):
                mark_process_dead(pid, str(folder))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Exposition:
    """The metric families to be written, with the histogram of probabilities put together from its counters."""

    def __init__(self, families: Iterable[Metric], model: ModelIdentity) -> None:
        self._families = {family.name: family for family in families}
        self._model = model

    def collect(self) -> Iterator[Metric]:
        model = {"name": self._model.name, "version": self._model.version, "sha256": self._model.sha256}
        yield InfoMetricFamily("credit_model", "The model in service.", model)
        histogram = _histogram(self._families.pop(BUCKET_COUNTER, None), self._families.pop(SUM_COUNTER, None))
        yield from self._families.values()
        yield histogram


def _histogram(buckets: Metric | None, sums: Metric | None) -> Metric:
    """The histogram `credit_probability`, from its two counters."""
    family = HistogramMetricFamily("credit_probability", "Probabilities of default given.", labels=["version"])
    totals = {s.labels["version"]: s.value for s in sums.samples if s.name.endswith("_total")} if sums else {}
    for version in sorted(totals):
        counts = {
            float(sample.labels["le"]): (sample.labels["le"], sample.value)
            for sample in (buckets.samples if buckets else ())
            if sample.labels["version"] == version and sample.name.endswith("_total")
        }
        if not counts:
            continue
        bounds, values = zip(*[counts[bound] for bound in sorted(counts)], strict=True)
        cumulated = list(accumulate(values))
        family.add_metric([version], [*zip(bounds, cumulated, strict=True), ("+Inf", cumulated[-1])], totals[version])
    return family
