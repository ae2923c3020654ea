"""Gauges that follow from the model in service and from its records: made for each GET /metrics, so none goes stale.

They are the same in every worker, and are in none of the files that workers share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from model.contract import Contract
from model.policy import DECISIONS
from model.stability import FALSE_ALARMS, chi2_quantile
from serve.metrics.bins import list_bins, list_series

if TYPE_CHECKING:
    from monitor.shifts import FieldShift
    from monitor.summary import ChallengerSummary, Monitor, Window

Row = tuple[Sequence[str], float | None]
"""The values of the labels, and the value of the gauge; None has no series."""


def describe_reference(contract: Contract, *, by_bin: bool) -> Iterator[Metric]:
    """What is expected of applicants, from the model file; `by_bin`: also what an index in PromQL needs."""
    version, expected = contract.version, contract.expected_probability
    yield from _gauge(
        "credit_expected_probability", "Default rate of the training applicants.", ["version"], [([version], expected)]
    )
    missing = [
        ([version, field.name], bins.missing / max(1, sum(bins.counts) + bins.missing))
        for field, bins in zip(contract.fields, contract.bins, strict=False)
    ]
    text = "Share of the training applicants without a value."
    yield from _gauge("credit_expected_missing_share", text, ["version", "field"], missing)
    if by_bin:
        yield from _describe_bins(contract)


def _describe_bins(contract: Contract) -> Iterator[Metric]:
    version, series = contract.version, list_series(contract.fields, list_bins(contract))
    counts = [([version, one.field, one.bin], one.reference) for one in series]
    text = "Training applicants in each bin of a field; the probability has no field."
    yield from _gauge("credit_reference_applicants", text, ["version", "field", "bin"], counts)
    names = [one.field for one in series]
    chance = 1 - FALSE_ALARMS / (len(contract.fields) + 1)
    factors = [([version, name], chi2_quantile(chance, max(names.count(name) - 1, 1))) for name in dict.fromkeys(names)]
    text = "Times (1/n + 1/m) = the index of n and m applicants that is noise."
    yield from _gauge("credit_noise_factor", text, ["version", "field"], factors)


def describe_monitor(monitor: Monitor) -> Iterator[Metric]:
    """The summary of the records, which GET /v1/monitor shows."""
    version, windows = monitor.model.version, monitor.windows
    shifts = [(window, shift) for window in windows for shift in _shifts(window)]
    labels = ["version", "field", "window"]
    indices = [([version, shift.field, window.name], shift.psi) for window, shift in shifts]
    text = "Population stability index of a field against the training applicants; the probability has no field."
    yield from _gauge("credit_population_stability", text, labels, indices)
    noises = [([version, shift.field, window.name], shift.noise) for window, shift in shifts]
    text = "What credit_population_stability stays below without a shift."
    yield from _gauge("credit_population_stability_noise", text, labels, noises)
    means = [([version, window.name], window.mean_probability) for window in windows]
    yield from _gauge("credit_mean_probability", "Mean probability of default.", ["version", "window"], means)
    counts = [
        ([version, window.name, decision], count)
        for window in windows
        for decision, count in zip(DECISIONS, (window.accepted, window.reviewed, window.refused), strict=True)
    ]
    text = "Recorded decisions in a window."
    yield from _gauge("credit_decisions_in_window", text, ["version", "window", "decision"], counts)
    text = "Records that are in none of these figures yet."
    yield from _gauge("credit_monitor_waiting", text, [], [([], monitor.waiting)])
    text = "When these figures were read."
    at = datetime.fromisoformat(monitor.at).timestamp()
    yield from _gauge("credit_monitor_timestamp_seconds", text, [], [([], at)])
    if monitor.challenger:
        yield from _describe_challenger(version, monitor.challenger)


def _describe_challenger(champion: str, challenger: ChallengerSummary) -> Iterator[Metric]:
    names, versions = ["version", "challenger"], [champion, challenger.version]
    swaps = [
        ([*versions, decision, other], count)
        for decision, row in zip(DECISIONS, challenger.swap_set, strict=True)
        for other, count in zip(DECISIONS, row, strict=True)
    ]
    text = "Applicants of seven days by the decisions of the model in service and of the challenger."
    yield from _gauge("credit_challenger_swap_set", text, [*names, "decision", "challenger_decision"], swaps)
    shift = challenger.shift
    for name, text, value in (
        ("agreement", "Share of the same decisions in seven days.", challenger.agreement),
        ("mean_probability", "Mean probability of default by the challenger.", challenger.mean_probability),
        ("stability", "Stability index of its probabilities against the model's.", shift.psi if shift else None),
        ("stability_noise", "What credit_challenger_stability is below if equal.", shift.noise if shift else None),
    ):
        yield from _gauge(f"credit_challenger_{name}", text, names, [(versions, value)])


def _shifts(window: Window) -> list[FieldShift]:
    return ([window.probability] if window.probability else []) + window.fields


def _gauge(name: str, text: str, labels: Sequence[str], rows: Iterable[Row]) -> Iterator[Metric]:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        if value is not None:
            family.add_metric(values, value)
    if family.samples:
        yield family
