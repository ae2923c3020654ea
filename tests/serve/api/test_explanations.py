"""Reasons and proposed changes in the answer of POST /score."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from model.session import Model

ADDITIVITY = 1e-9


def test_the_service_gives_four_reasons_unless_asked_otherwise(client: httpx.Client, named: dict[str, Any]) -> None:
    """`reasons` sets the maximum number; 0 gives none."""
    for options, most in (({}, 4), ({"reasons": 1}, 1), ({"reasons": 0}, 0)):
        result = client.post("/score", json={"applicants": [named], **options}).json()["results"][0]
        assert len(result["reasons"]) <= most
        assert all(list(reason) == ["field", "label", "value", "contribution", "text"] for reason in result["reasons"])


@pytest.mark.parametrize("reasons", [-1, 1.5, "4", None])
def test_an_invalid_number_of_reasons_is_400(client: httpx.Client, named: dict[str, Any], reasons: object) -> None:
    """The fault points at the option."""
    answer = client.post("/score", json={"applicants": [named], "reasons": reasons})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/reasons"


def test_contributions_and_base_value_rebuild_the_probability(
    model: Model, client: httpx.Client, named: dict[str, Any]
) -> None:
    """Base value + contributions = log-odds of the probability in the answer."""
    matrix = np.array([[45.5, 320.0, 1.0, 1.0, 0.75]])
    scores = model.score(matrix, explain=True)
    answer = client.post("/score", json={"applicants": [named]}).json()["results"][0]

    log_odds = model.contract.base_value + float(scores.contributions.sum())

    assert answer["probability"] == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=ADDITIVITY)
    assert {reason["contribution"] for reason in answer["reasons"]} <= set(scores.contributions[0].tolist())


def test_the_service_proposes_changes_when_asked_and_refusing(client: httpx.Client, named: dict[str, Any]) -> None:
    """Only a refusal has `what_would_change`, and only if the request asked for it."""
    refused, accepted = named | {"Amount": 100, "Client": False}, named | {"Amount": 0, "Income": 5000}

    body = {"applicants": [refused, accepted], "what_would_change": True}
    results = client.post("/score", json=body).json()["results"]
    not_results = client.post("/score", json={"applicants": [refused]}).json()["results"]

    assert [result["decision"] for result in results] == ["refuse", "accept"]
    assert results[0]["what_would_change"] == []
    assert "what_would_change" not in results[1]
    assert "what_would_change" not in not_results[0]
