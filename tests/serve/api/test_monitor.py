"""GET /v1/monitor over HTTP, in both databases: what was just decided, reviewed and answered; JSON and HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from model.session import Model
from monitor.summary import Monitor
from tests.monitor.html import read_html
from tests.serve.running import SERVE, Service, running

PORTAL, OFFICER = "a-key-of-the-portal", "a-key-of-an-officer"


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, content: bytes, tmp_path: Path) -> Iterator[Service]:
    """The service around the model, which records its decisions."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    keys = {"API_KEYS": f"portal={PORTAL}", "DECISIONS_KEYS": f"officer={OFFICER}"}
    with running(tmp_path, content, SERVE, LOG_LEVEL="warning", DECISIONS_URL=url, **keys) as started:
        yield started


@pytest.fixture
def officer(service: Service) -> Iterator[httpx.Client]:
    """A client with a key that may read decisions."""
    with httpx.Client(base_url=service.base, headers={"X-API-Key": OFFICER}, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def score(service: Service, named: dict[str, Any]) -> Callable[[int], list[dict[str, Any]]]:
    """A function that scores applicants with the key of the portal."""

    def ask(count: int) -> list[dict[str, Any]]:
        body = {"applicants": [named | {"Amount": 10 + index} for index in range(count)]}
        results: list[dict[str, Any]] = service.ask("POST", "/score", body, X_API_Key=PORTAL).json()["results"]
        return results

    return ask


Score = Callable[[int], list[dict[str, Any]]]


def read(officer: httpx.Client) -> Monitor:
    """The summary, which must be of the documented type."""
    response = officer.get("/v1/monitor").raise_for_status()
    assert response.headers["content-type"] == "application/json"
    return msgspec.json.decode(response.content, type=Monitor)


def test_what_was_answered_is_counted_at_once(officer: httpx.Client, score: Score, model: Model) -> None:
    """In every window and period, by decision and version; nothing waits."""
    before = read(officer)
    results = score(30)

    after = read(officer)

    assert (before.counted, before.weeks, after.counted, after.waiting) == (0, [], 30, 0)
    assert [window.decisions for window in after.windows] == [30, 30, 30]
    week, today = after.windows[-1], after.days[-1]
    for figures in (week, today, after.weeks[-1]):
        counts = [figures.accepted, figures.reviewed, figures.refused]
        decided = [result["decision"] for result in results]
        assert counts == [decided.count(word) for word in ("accept", "review", "refuse")]
    mean = sum(result["probability"] for result in results) / len(results)
    assert week.mean_probability == pytest.approx(mean, abs=1e-8)
    assert today.versions == {model.contract.version: 30}
    assert (after.model.sha256, len(after.days)) == (model.sha256, 28)


def test_reviews_are_counted(officer: httpx.Client, score: Score) -> None:
    """One that confirms the model, and one that overrides it unless it said review."""
    same, other = score(2)
    finals = same["decision"], "refuse" if other["decision"] == "accept" else "accept"
    for result, final in zip((same, other), finals, strict=True):
        review = {"decision": final, "reason": "seen", "who": "J. Officer"}
        officer.post(f"/v1/decisions/{result['decision_id']}/review", json=review).raise_for_status()

    today = read(officer).days[-1]

    assert (today.reviews, today.overrides) == (2, int(other["decision"] != "review"))


def test_the_content_of_the_page_is_html(officer: httpx.Client, score: Score, model: Model) -> None:
    """If the client asks for it; no cache mixes the two up, and nothing inside may run."""
    score(3)

    response = officer.get("/v1/monitor", headers={"accept": "text/html, */*"}).raise_for_status()

    page = read_html(response.text)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Accept" in response.headers["vary"].split(", ")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert model.contract.version in page.text
    assert "Decisions in 7 days3" in page.text
    assert {"script", "style", "link"} & set(page.tags) == set()


def test_the_service_stops_while_it_counts(service: Service, score: Score) -> None:
    """Within seconds, without a fault in the log."""
    score(50)

    service.process.terminate()

    assert service.process.wait(timeout=10) == 0
    assert service.said("Traceback") == []
