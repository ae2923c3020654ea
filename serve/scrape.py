"""GET /metrics: the counters of all workers in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from serve.counters import Key
from serve.exchange import Ask, Heavy, Reply
from serve.tally import EDGES
from serve.traffic import SECONDS


def show_metrics(ask: Ask) -> Reply:
    """GET /metrics. Files are read and prometheus_client is imported here, by those who ask, away from the loop."""
    if ask.is_on_loop:
        ask.served.tally.flush()
        raise Heavy
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest

    total = ask.served.tally.ledger.add_up()
    # prometheus_client asks a registry for no more than what it collects.
    return Reply(generate_latest(_Collected(total, ask)), CONTENT_TYPE_PLAIN_1_0_0.encode())


class _Collected:
    """What prometheus_client takes for a registry: the families of metrics, made when asked."""

    def __init__(self, total: dict[Key, float], ask: Ask) -> None:
        self._total = total
        self._name = ask.served.name

    def collect(self) -> Iterator[Any]:
        from prometheus_client.metrics_core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
            InfoMetricFamily,
        )

        name = self._name
        yield InfoMetricFamily(
            "credit_model", "The model in service.", {"name": name.name, "version": name.version, "sha256": name.sha256}
        )
        yield GaugeMetricFamily("http_requests_in_flight", "Requests being answered.", self._total["in_flight", ()])
        for counter, metric, help_text, labels in COUNTERS:
            family = CounterMetricFamily(metric, help_text, labels=labels)
            for (known, values), count in self._total.items():
                # Combinations of path and status that never happened say nothing; those of a model say: none.
                if known == counter and (count or counter != "requests"):
                    family.add_metric(values, count)
            yield family
        for counter, metric, help_text, label, edges in HISTOGRAMS:
            histogram = HistogramMetricFamily(metric, help_text, labels=[label])
            ends = [f"{edge:g}" for edge in edges] + (["+Inf"] if counter == "seconds" else [])
            for owner in sorted({values[0] for known, values in self._total if known == counter}):
                counts = list(accumulate(self._total[counter, (owner, end)] for end in ends))
                buckets = [*zip(ends, counts, strict=True)] + ([] if counter == "seconds" else [("+Inf", counts[-1])])
                if counts[-1] or counter != "seconds":
                    histogram.add_metric([owner], buckets, self._total[f"{counter}_sum", (owner,)])
            yield histogram


COUNTERS = (
    ("requests", "http_requests", "Answered requests.", ["path", "status"]),
    ("applicants", "credit_applicants", "Applicants scored.", ["version"]),
    ("decisions", "credit_decisions", "Decisions.", ["version", "decision"]),
    ("missing", "credit_missing_values", "Applicants without a value.", ["version", "field"]),
    ("out_of_bounds", "credit_out_of_bounds", "Applicants outside the documented bounds.", ["version", "field"]),
)

HISTOGRAMS = (
    ("seconds", "http_request_seconds", "From the start of a request to the end of its answer.", "path", SECONDS),
    ("probability", "credit_probability", "Probabilities of default given.", "version", EDGES),
)
