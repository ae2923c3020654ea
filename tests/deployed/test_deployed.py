"""Smoke tests of a deployed service: it serves this checkout's model, and answers its golden rows."""

from __future__ import annotations

import statistics
import time

import httpx
import pytest

from model.loading import GOLDEN_TOLERANCE
from model.policy import DECISIONS
from model.session import Model
from tests.deployed.conftest import LATENCIES

REQUESTS = 30
SLOW_SECONDS = 2.0
"""Upper limit of the median, generous enough for any network."""


def test_the_service_is_ready(client: httpx.Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ready"


def test_the_model_is_the_one_that_was_pushed(client: httpx.Client, model: Model) -> None:
    """GET /model has the name, version and hash of this checkout's model file."""
    served = client.get("/model").json()

    assert (model.contract.name, model.contract.version, model.sha256) == (
        served["name"],
        served["version"],
        served["sha256"],
    )


def test_predict_gives_the_golden_probabilities(client: httpx.Client, model: Model) -> None:
    """POST /predict."""
    golden = model.contract.golden

    answer = client.post("/predict", json={"data": golden.applicants})

    assert answer.status_code == 200, answer.text
    assert pytest.approx(list(golden.probability), abs=GOLDEN_TOLERANCE) == answer.json()


def test_score_gives_the_golden_decisions_with_reasons(client: httpx.Client, model: Model) -> None:
    """At most four reasons, and the hash of the model."""
    golden = model.contract.golden

    answer = client.post("/score", json={"applicants": golden.applicants, "reasons": 4})

    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert pytest.approx(list(golden.probability), abs=GOLDEN_TOLERANCE) == [found["probability"] for found in results]
    assert [DECISIONS[decision] for decision in golden.decision] == [found["decision"] for found in results]
    assert all(len(found["reasons"]) <= 4 for found in results)
    assert any(found["reasons"] for found in results)
    assert model.sha256 == answer.json()["model"]["sha256"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": [["x"]]}', b'{"data": [[1]]}'])
def test_an_invalid_body_is_400(client: httpx.Client, body: bytes) -> None:
    """application/problem+json (RFC 9457)."""
    answer = client.post("/predict", content=body)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["error"]


def test_latency(client: httpx.Client, model: Model, pytestconfig: pytest.Config) -> None:
    """One applicant at a time on one connection; prints the percentiles."""
    body = {"data": model.contract.golden.applicants[:1]}
    seconds = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        client.post("/predict", json=body).raise_for_status()
        seconds.append(time.perf_counter() - started)

    median = statistics.median(seconds)
    pytestconfig.stash[LATENCIES] = (
        f"latency of {REQUESTS} single applicants at {client.base_url}: "
        f"median {median * 1e3:.1f} ms, slowest {max(seconds) * 1e3:.1f} ms"
    )
    assert median < SLOW_SECONDS
