"""Requests and scored applicants are counted correctly, with and without buffering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry

from model.contract import Field
from model.policy import DECISIONS
from model.session import Matrix, Model, Scores
from serve.metrics.collectors import BUCKET_COUNTER, LATENCY_BUCKETS, PROBABILITY_BUCKETS, SUM_COUNTER
from serve.metrics.recorder import BUFFER_ROWS, Metrics
from serve.schemas.responses import ModelIdentity

VERSION = "2026.01.02-abcdef01"
NAME = ModelIdentity("test", VERSION, "0" * 64)


@pytest.fixture
def metrics(fields: tuple[Field, ...]) -> Metrics:
    """Metrics of this test alone, with a model in service."""
    return open_metrics(fields)


def open_metrics(fields: tuple[Field, ...]) -> Metrics:
    """Metrics with a model in service."""
    metrics = Metrics()
    metrics.set_model(NAME, fields)
    return metrics


def values(metrics: Metrics, sample: str) -> dict[str, float]:
    """The flushed samples of a name, by the values of their labels other than the version."""
    metrics.flush(0)
    registry: CollectorRegistry = metrics.collectors.registry
    found = [one for family in registry.collect() for one in family.samples if one.name == sample]
    return {"/".join(text for name, text in one.labels.items() if name != "version"): one.value for one in found}


def scored(probability: list[float], decision: list[int]) -> Scores:
    """Scores without contributions."""
    return Scores(np.array(probability), np.array(decision), np.zeros((0, 5)))


def test_applicants_and_their_decisions_are_counted(
    model: Model, metrics: Metrics, fields: tuple[Field, ...], applicants: Matrix
) -> None:
    """Their number, the sum of their probabilities, and each decision."""
    scores = model.score(applicants)

    metrics.record_scores(NAME, fields, applicants, scores)

    counts = {word: float((scores.decision == index).sum()) for index, word in enumerate(DECISIONS)}
    assert values(metrics, "credit_applicants_total") == {"": 64.0}
    assert values(metrics, f"{SUM_COUNTER}_total") == {"": pytest.approx(scores.probability.sum())}
    assert values(metrics, "credit_decisions_total") == counts


def test_missing_values_are_counted_by_field(
    model: Model, metrics: Metrics, fields: tuple[Field, ...], applicants: Matrix
) -> None:
    """A field without missing values has a zero."""
    metrics.record_scores(NAME, fields, applicants, model.score(applicants))

    expected = {
        field.name: float(np.isnan(applicants[:, column]).sum()) for column, field in enumerate(model.contract.fields)
    }
    assert values(metrics, "credit_missing_values_total") == expected
    assert expected["Income"] > 0


def test_values_out_of_bounds_are_counted_by_field(model: Model, metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """Bounds themselves are inside, missing values on neither side, and a field may have one bound."""
    rows = np.array(
        [[0, 0, 0, 0, 0], [100, 1e9, 2, 1, 2], [-0.1, -1, 1, 0, 2.1], [100.1, np.nan, np.nan, 1, 3], [50, -2, 1, 0, 1]]
    )

    metrics.record_scores(NAME, fields, rows, model.score(rows))

    expected = {"Amount": 2.0, "Income": 2.0, "Home": 0.0, "Client": 0.0, "Debt/Income~12m": 2.0}
    assert values(metrics, "credit_out_of_bounds_total") == expected


def test_a_number_that_stands_for_a_missing_value_counts_as_one(model: Model, fields: tuple[Field, ...]) -> None:
    """Not as out of bounds."""
    coded = tuple(structs.replace(one, missing=(365243.0,) if one.name == "Amount" else ()) for one in fields)
    rows = np.array([[365243.0, 0, 0, 0, 0], [101, 0, 0, 0, 0]])
    metrics = open_metrics(coded)

    metrics.record_scores(NAME, coded, rows, model.score(rows))

    assert values(metrics, "credit_missing_values_total")["Amount"] == 1
    assert values(metrics, "credit_out_of_bounds_total")["Amount"] == 1


@pytest.mark.parametrize(
    ("probability", "edge"),
    [(0.0, "0.05"), (0.05, "0.05"), (0.0500001, "0.1"), (0.15, "0.15"), (0.95, "0.95"), (0.96, "1"), (1.0, "1")],
)
def test_a_probability_is_counted_in_the_bucket_whose_end_it_does_not_exceed(
    metrics: Metrics, fields: tuple[Field, ...], probability: float, edge: str
) -> None:
    """An upper bound belongs to its bucket, as Prometheus defines it."""
    metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([probability], [0]))

    assert {end: count for end, count in values(metrics, f"{BUCKET_COUNTER}_total").items() if count} == {edge: 1.0}


@given(chunks=st.lists(st.integers(1, 400), min_size=1, max_size=8), data=st.data())
def test_in_parts_is_the_same_as_together(
    model: Model, fields: tuple[Field, ...], applicants: Matrix, chunks: list[int], data: st.DataObject
) -> None:
    """Buffered or counted at once, with or without a flush in between: the same counts."""
    rows = np.resize(applicants, (sum(chunks), 5))
    scores = model.score(rows)
    parts, together = open_metrics(fields), open_metrics(fields)
    stops = np.cumsum(chunks).tolist()

    for start, stop in zip([0, *stops[:-1]], stops, strict=True):
        part = Scores(scores.probability[start:stop], scores.decision[start:stop], scores.contributions)
        parts.record_scores(NAME, fields, rows[start:stop], part)
        if data.draw(st.booleans(), "a look"):
            parts.flush(0)
    together.record_scores(NAME, fields, rows, scores)

    for name in ("credit_applicants_total", "credit_decisions_total", "credit_missing_values_total"):
        assert values(parts, name) == values(together, name)
    assert values(parts, f"{BUCKET_COUNTER}_total") == values(together, f"{BUCKET_COUNTER}_total")
    assert values(parts, f"{SUM_COUNTER}_total") == pytest.approx(values(together, f"{SUM_COUNTER}_total"), rel=1e-12)


def test_the_buffer_copies_its_input(metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """The arrays of a single applicant are reused for the next one."""
    row, scores = np.zeros((1, 5)), scored([0.5], [1])

    metrics.record_scores(NAME, fields, row, scores)
    row[:] = np.nan
    scores.probability[:], scores.decision[:] = 0.9, 2

    assert values(metrics, "credit_decisions_total") == {"accept": 0.0, "review": 1.0, "refuse": 0.0}
    assert values(metrics, f"{SUM_COUNTER}_total") == {"": 0.5}
    assert set(values(metrics, "credit_missing_values_total").values()) == {0.0}


def test_a_full_buffer_is_flushed(metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """Without a call of flush, and a later flush counts nothing twice."""
    counted = metrics.collectors.registry.get_sample_value
    for _ in range(BUFFER_ROWS + 1):
        metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([0.5], [1]))

    before = counted("credit_applicants_total", {"version": VERSION})
    for _ in range(3):
        metrics.flush(0)

    assert before is not None
    assert before >= BUFFER_ROWS
    assert values(metrics, "credit_applicants_total") == {"": BUFFER_ROWS + 1}


def test_a_model_that_comes_back_goes_on_counting(metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """Whether or not its buffer was flushed before."""
    metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([0.5], [1]))
    metrics.set_model(ModelIdentity("test", "other", "1" * 64), fields)
    metrics.set_model(NAME, fields)
    metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([0.5], [1]))

    metrics.flush(0)

    counted = metrics.collectors.registry.get_sample_value
    assert [counted("credit_applicants_total", {"version": one}) for one in (VERSION, "other")] == [2, 0]


def test_a_model_of_the_same_version_with_other_fields_is_counted(metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """Two models with the same version cause no error."""
    metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([0.5], [1]))

    other = ModelIdentity("test", VERSION, "1" * 64)
    metrics.set_model(other, fields[:3])
    metrics.record_scores(other, fields[:3], np.zeros((1, 3)), scored([0.5], [1]))

    assert values(metrics, "credit_applicants_total") == {"": 2}


def test_the_buckets_of_probabilities_cover_them_all() -> None:
    """Up to 1, of equal width."""
    assert PROBABILITY_BUCKETS[-1] == 1.0
    assert np.diff(PROBABILITY_BUCKETS) == pytest.approx([0.05] * 19)


def test_a_request_is_counted_by_route_and_status(metrics: Metrics) -> None:
    """Its duration is in one bucket and in the sum."""
    metrics.record_request("/predict", 413, 0.003)

    buckets = values(metrics, "http_request_seconds_bucket")
    assert values(metrics, "http_requests_total") == {"/predict/413": 1.0}
    assert values(metrics, "http_request_seconds_sum") == {"/predict": 0.003}
    assert [end for end, count in buckets.items() if not count][-1] == "/predict/0.002"


@pytest.mark.parametrize("status", [200, 400, 401, 404, 405, 408, 413, 415, 499, 500, 503])
def test_every_status_has_its_own_counter(metrics: Metrics, status: int) -> None:
    """The others don't change."""
    metrics.record_request("/score", 201, 0.001)
    metrics.record_request("/score", status, 0.001)

    assert values(metrics, "http_requests_total") == {"/score/201": 1.0, f"/score/{status}": 1.0}


@pytest.mark.parametrize(
    ("seconds", "edge"), [(0.0, "0.0001"), (0.0001, "0.0001"), (0.00011, "0.0002"), (10.0, "10.0"), (10.1, "+Inf")]
)
def test_a_time_is_counted_in_the_bucket_whose_end_it_does_not_exceed(
    metrics: Metrics, seconds: float, edge: str
) -> None:
    """From 0.1 ms to any length."""
    metrics.record_request("/score", 200, seconds)

    buckets = values(metrics, "http_request_seconds_bucket")
    assert next(end for end, count in buckets.items() if count) == f"/score/{edge}"
    assert buckets["/score/+Inf"] == 1.0


def test_a_full_buffer_of_requests_is_flushed(metrics: Metrics) -> None:
    """The buffer never exceeds BUFFER_ROWS."""
    for _ in range(BUFFER_ROWS):
        metrics.record_request("/score", 200, 0.001)

    counted = metrics.collectors.registry.get_sample_value
    assert counted("http_requests_total", {"path": "/score", "status": "200"}) == BUFFER_ROWS


def test_the_gauge_has_its_last_value(metrics: Metrics) -> None:
    """Requests in progress come and go."""
    metrics.flush(3)
    metrics.flush(2)

    assert metrics.collectors.registry.get_sample_value("http_requests_in_flight") == 2


def test_two_applications_in_one_process_count_for_themselves(fields: tuple[Field, ...]) -> None:
    """They share no registry."""
    both: list[Any] = [open_metrics(fields) for _ in range(2)]

    both[0].record_request("/score", 200, 0.001)

    assert [values(one, "http_requests_total") for one in both] == [{"/score/200": 1.0}, {}]


def test_the_buckets_of_times_ascend() -> None:
    """And are unique."""
    assert list(LATENCY_BUCKETS) == sorted(set(LATENCY_BUCKETS))


def test_a_model_that_was_replaced_while_it_scored_is_counted(metrics: Metrics, fields: tuple[Field, ...]) -> None:
    """Under its own version."""
    metrics.set_model(ModelIdentity("test", "other", "1" * 64), fields[:3])

    metrics.record_scores(NAME, fields, np.zeros((1, 5)), scored([0.5], [1]))

    metrics.flush(0)
    counted = metrics.collectors.registry.get_sample_value
    assert counted("credit_applicants_total", {"version": VERSION}) == 1


def test_requests_of_some_paths_are_kept_until_they_are_taken() -> None:
    """Status and seconds, once they have been counted; without such paths none are kept."""
    keeping, other = Metrics(["/score"]), Metrics()
    for metrics in (keeping, other):
        metrics.record_request("/score", 200, 0.25)
        metrics.record_request("/livez", 200, 0.5)
        metrics.flush(0)

    assert [keeping.take_requests(), keeping.take_requests(), other.take_requests()] == [[(200, 0.25)], [], []]
