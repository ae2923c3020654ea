"""What the service says of itself: the model in service, health, and where the metrics are."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from model.session import Model


def name_of(model: Model) -> dict[str, str]:
    """The model as answers name it."""
    return {"name": "test", "version": "2026.01.02-abcdef01", "sha256": model.sha256}


def test_model_tells_the_contract_without_its_golden_rows(client: httpx.Client, model: Model) -> None:
    """Fields, policy and quality, so that a client can build its form from it."""
    answer = client.get("/model").json()

    assert set(answer) == {
        "name",
        "version",
        "sha256",
        "contract_version",
        "trained_at",
        "fields",
        "policy",
        "base_value",
        "metrics",
        "bins",
        "probability_bins",
    }
    assert {key: answer[key] for key in ("name", "version", "sha256")} == name_of(model)
    assert [field["name"] for field in answer["fields"]] == [field.name for field in model.contract.fields]


def test_livez_says_that_the_process_answers(client: httpx.Client) -> None:
    """200 without a look at the model."""
    response = client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_readyz_says_which_model_is_ready(client: httpx.Client, model: Model) -> None:
    """200 with name, version and hash."""
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ready", "model": name_of(model)})


def test_metrics_are_told_in_the_format_of_prometheus(client: httpx.Client, model: Model) -> None:
    """As its content type says; the model in service is named."""
    response = client.get("/metrics")

    samples = {one.name: one for family in text_string_to_metric_families(response.text) for one in family.samples}
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert samples["credit_model_info"].labels == name_of(model)
