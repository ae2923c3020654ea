"""GET /model, /livez, /readyz and /metrics."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from model.session import Model


def name_of(model: Model) -> dict[str, str]:
    """Name, version and hash of the model, as in the answers."""
    return {"name": "test", "version": "2026.01.02-abcdef01", "sha256": model.sha256}


def test_model_returns_the_contract_without_golden_rows(client: httpx.Client, model: Model) -> None:
    """Fields, policy and metrics are those of the file."""
    answer = client.get("/model").json()

    assert set(answer) == {
        "name",
        "version",
        "sha256",
        "contract_version",
        "trained_at",
        "fields",
        "policy",
        "scorecard",
        "base_value",
        "attribution",
        "unit",
        "base_points",
        "points_per_log_odds",
        "metrics",
        "bins",
        "probability_bins",
    }
    assert {key: answer[key] for key in ("name", "version", "sha256")} == name_of(model)
    assert [field["name"] for field in answer["fields"]] == [field.name for field in model.contract.fields]


def test_livez_is_200(client: httpx.Client) -> None:
    """Without touching the model."""
    response = client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_readyz_says_which_model_is_ready(client: httpx.Client, model: Model) -> None:
    """200 with name, version and hash."""
    response = client.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ready", "model": name_of(model)})


def test_metrics_have_the_prometheus_text_format(client: httpx.Client, model: Model) -> None:
    """The content type says so, and the model in service is named."""
    response = client.get("/metrics")

    samples = {one.name: one for family in text_string_to_metric_families(response.text) for one in family.samples}
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert samples["credit_model_info"].labels == name_of(model)
