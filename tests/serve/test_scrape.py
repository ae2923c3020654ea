"""GET /metrics, read as Prometheus reads it: equal to what was sent, and without anybody's values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from serve.app import make_app
from serve.contract import DECISIONS
from serve.model import Matrix, Model

VERSION = "2026.01.02-abcdef01"

Labels = tuple[tuple[str, str], ...]


def scrape(client: httpx.Client) -> dict[tuple[str, Labels], float]:
    """Every sample, by name and labels."""
    response = client.get("/metrics")
    assert (200, "text/plain; version=1.0.0; charset=utf-8") == (response.status_code, response.headers["content-type"])
    families = list(text_string_to_metric_families(response.text))
    assert all(family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(samples) == len(found)
    return found


def one(found: dict[tuple[str, Labels], float], sample: str, /, **labels: str) -> float:
    """One sample."""
    return found[sample, tuple(sorted(labels.items()))]


@pytest.fixture
def client(model: Model, connect: Callable[[ASGIApp], httpx.Client]) -> httpx.Client:
    """A client of a service that nobody else asks."""
    return connect(make_app(model))


def to_json(matrix: Matrix) -> list[list[float | None]]:
    """Rows of the graph's input as a body holds them."""
    return [[None if np.isnan(cell) else cell for cell in row] for row in matrix.tolist()]


def test_every_request_is_counted_by_path_and_status(client: httpx.Client, vector: list[Any]) -> None:
    """The path of the route, not what the client wrote: nobody fills the page with paths of their own."""
    for _ in range(3):
        client.post("/predict", json={"data": [vector]})
    client.post("/predict", json={"data": []})
    client.get("/v2/models/test")
    client.get("/nowhere")
    client.get("/nowhere/else")

    found = scrape(client)

    requests = {labels: count for (name, labels), count in found.items() if name == "http_requests_total"}
    assert {
        (("path", "/predict"), ("status", "200")): 3,
        (("path", "/predict"), ("status", "400")): 1,
        (("path", "/v2/models/{name}"), ("status", "200")): 1,
        (("path", "other"), ("status", "404")): 2,
    } == requests


def test_times_are_a_histogram(client: httpx.Client, vector: list[Any]) -> None:
    """Cumulative, with +Inf and count equal to the requests."""
    for _ in range(5):
        client.post("/score", json={"applicants": [vector]})

    found = scrape(client)

    buckets = [value for (name, labels), value in found.items() if name == "http_request_seconds_bucket"]
    assert sorted(buckets) == buckets
    assert 5 == one(found, "http_request_seconds_bucket", path="/score", le="+Inf") == buckets[-1]
    assert 5 == one(found, "http_request_seconds_count", path="/score")
    assert 0 < one(found, "http_request_seconds_sum", path="/score")


def test_one_request_is_in_flight_while_it_asks(client: httpx.Client) -> None:
    """The one for /metrics itself."""
    client.get("/livez")

    assert 1 == one(scrape(client), "http_requests_in_flight")


def test_the_model_in_service_is_named(client: httpx.Client, model: Model) -> None:
    """So that a dashboard can tell since when which one decides."""
    assert 1 == one(scrape(client), "credit_model_info", name="test", version=VERSION, sha256=model.sha256)


def test_decisions_gaps_and_probabilities_equal_what_was_asked(
    client: httpx.Client, model: Model, applicants: Matrix
) -> None:
    """One by one, together, by name or position or as CSV, over V2: each is counted once."""
    client.post("/predict", json={"data": to_json(applicants)})
    for alone in to_json(applicants):
        client.post("/score", json={"applicants": [alone]})
    client.post("/predict", json={"data": to_json(applicants[:1])})
    tensor = {"name": "applicants", "shape": [64, 5], "datatype": "FP64", "data": to_json(applicants)}
    client.post("/v2/models/test/infer", json={"inputs": [tensor]})
    client.post("/score", content="Amount,Client,Debt/Income~12m\n150,True,1\n", headers={"content-type": "text/csv"})
    client.post("/score", json={"applicants": [*to_json(applicants), ["wrong"]]})

    found = scrape(client)

    row = np.array([[150, np.nan, np.nan, 1, 1]])
    everybody = np.concatenate([applicants, applicants, applicants[:1], applicants, row])
    scores = model.score(everybody)
    assert len(everybody) == one(found, "credit_applicants_total", version=VERSION)
    for index, word in enumerate(DECISIONS):
        count = (scores.decision == index).sum()
        assert count == one(found, "credit_decisions_total", version=VERSION, decision=word)
    for column, field in enumerate(model.contract.fields):
        count = np.isnan(everybody[:, column]).sum()
        assert count == one(found, "credit_missing_values_total", version=VERSION, field=field.name)
    assert 1 == one(found, "credit_out_of_bounds_total", version=VERSION, field="Amount")
    for edge in ("0.05", "0.5", "1.0"):
        count = (scores.probability <= float(edge)).sum()
        bucket = f"{float(edge):g}"
        assert count == one(found, "credit_probability_bucket", version=VERSION, le=bucket)
    assert len(everybody) == one(found, "credit_probability_count", version=VERSION)
    assert pytest.approx(scores.probability.sum()) == one(found, "credit_probability_sum", version=VERSION)


def test_a_model_that_was_not_asked_has_zeros(client: httpx.Client, fields: Any) -> None:
    """A counter that isn't there can't be told from one that isn't scraped."""
    found = scrape(client)

    assert 0 == one(found, "credit_applicants_total", version=VERSION)
    for field in fields:
        assert 0 == one(found, "credit_missing_values_total", version=VERSION, field=field.name)


def test_whichever_worker_is_asked_answers_for_all(
    model: Model, connect: Callable[[ASGIApp], httpx.Client], vector: list[Any], tmp_path: Path
) -> None:
    """Several processes share a folder; what one has kept aside is there once it sweeps."""
    gates = [make_app(model, None, str(tmp_path)) for _ in range(3)]
    clients = [connect(gate) for gate in gates]
    for number, client in enumerate(clients):
        for _ in range(number + 1):
            client.post("/predict", json={"data": [vector]})
    for gate in gates:
        gate.sweep()

    counts = [
        (
            one(found, "http_requests_total", path="/predict", status="200"),
            one(found, "credit_applicants_total", version=VERSION),
        )
        for found in map(scrape, clients)
    ]

    assert [(6, 6)] * 3 == counts


def test_no_value_of_an_applicant_is_ever_in_it(client: httpx.Client) -> None:
    """Right or refused, in a field, an id, a path or a header."""
    marker = "8765432109"
    applicant = {"id": marker, "Amount": int(marker), "Client": True, "Debt/Income~12m": 1}
    client.post("/score", json={"applicants": [applicant]})
    client.post("/score", json={"applicants": [{**applicant, "Home": marker, marker: 1}]})
    client.get(f"/{marker}", headers={"x-request-id": marker})
    client.post(f"/v2/models/{marker}/infer", json={})

    assert marker not in client.get("/metrics").text
