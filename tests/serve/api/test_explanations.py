"""What POST /score tells beside a decision: reasons, and what would change a refusal."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from model.session import Model

ADDITIVITY = 1e-9


def test_the_service_gives_four_reasons_unless_asked_otherwise(client: httpx.Client, named: dict[str, Any]) -> None:
    """`reasons` says how many; 0 gives none."""
    for asked, most in (({}, 4), ({"reasons": 1}, 1), ({"reasons": 0}, 0)):
        result = client.post("/score", json={"applicants": [named], **asked}).json()["results"][0]
        assert len(result["reasons"]) <= most
        assert all(list(reason) == ["field", "label", "value", "contribution", "text"] for reason in result["reasons"])


@pytest.mark.parametrize("reasons", [-1, 1.5, "4", None])
def test_a_number_of_reasons_that_is_none_is_refused(
    client: httpx.Client, named: dict[str, Any], reasons: object
) -> None:
    """400, with its place."""
    answer = client.post("/score", json={"applicants": [named], "reasons": reasons})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/reasons"


def test_contributions_and_base_value_rebuild_the_probability(
    model: Model, client: httpx.Client, named: dict[str, Any]
) -> None:
    """What /score tells and what the graph holds is one arithmetic: log-odds = base value + contributions."""
    matrix = np.array([[45.5, 320.0, 1.0, 1.0, 0.75]])
    scores = model.score(matrix, explain=True)
    answer = client.post("/score", json={"applicants": [named]}).json()["results"][0]

    log_odds = model.contract.base_value + float(scores.contributions.sum())

    assert answer["probability"] == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=ADDITIVITY)
    assert {reason["contribution"] for reason in answer["reasons"]} <= set(scores.contributions[0].tolist())


def test_the_service_proposes_changes_when_asked_and_refusing(client: httpx.Client, named: dict[str, Any]) -> None:
    """`what_would_change` is in the answer to a refusal that asked for it, and nowhere else."""
    refused, accepted = named | {"Amount": 100, "Client": False}, named | {"Amount": 0, "Income": 5000}

    asked = client.post("/score", json={"applicants": [refused, accepted], "what_would_change": True}).json()["results"]
    not_asked = client.post("/score", json={"applicants": [refused]}).json()["results"]

    assert [result["decision"] for result in asked] == ["refuse", "accept"]
    assert asked[0]["what_would_change"] == []
    assert "what_would_change" not in asked[1]
    assert "what_would_change" not in not_asked[0]
