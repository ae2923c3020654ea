"""The stand-in answers as the platform is documented to."""

from __future__ import annotations

import httpx
import pytest

from tests.deploy.conftest import APP, KEY, Stage


def api(stage: Stage, key: str = KEY) -> httpx.Client:
    """A client without anything of ours."""
    return httpx.Client(base_url=f"{stage.settings.api_url}/apps/{APP}", headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("path", ["", "/releases", "/releases/1", "/slugs/1", "/dynos"])
def test_without_the_key_nothing_is_told(stage: Stage, path: str) -> None:
    """401, as the platform's JSON."""
    with api(stage, "wrong") as client:
        answer = client.get(f"{stage.settings.api_url}/apps/{APP}{path}")

    assert (401, "unauthorized") == (answer.status_code, answer.json()["id"])


@pytest.mark.parametrize("path", ["/releases/9", "/slugs/9"])
def test_what_is_not_there_is_404(stage: Stage, path: str) -> None:
    """For releases and slugs."""
    with api(stage) as client:
        assert 404 == client.get(path).status_code


@pytest.mark.parametrize("body", [{"release": "9"}, {"slug": "9"}, {}])
def test_nothing_can_be_released_that_is_not_there(stage: Stage, body: dict[str, str]) -> None:
    """Neither by a rollback nor from a slug."""
    with api(stage) as client:
        assert 404 == client.post("/releases", json=body).status_code
    assert [] == stage.platform.releases


def test_git_asks_for_the_key(stage: Stage) -> None:
    """As a password, before anything is read."""
    answer = httpx.get(f"{stage.settings.git_url}/info/refs?service=git-receive-pack")

    assert (401, 'Basic realm="git"') == (answer.status_code, answer.headers["www-authenticate"])


def test_the_router_answers_for_an_app_that_does_not_run(stage: Stage) -> None:
    """503, before the first release and after a crash."""
    assert 503 == httpx.get(stage.url).status_code
    stage.release(stage.make_slug("a" * 40, web="exit 1"))
    assert 503 == httpx.get(stage.url).status_code


def test_the_router_hands_everything_on(stage: Stage) -> None:
    """Path, query, status and body."""
    stage.release(stage.make_slug("a" * 40))

    assert "a" * 40 == httpx.get(f"{stage.url}commit?x=1").text
    assert 404 == httpx.get(f"{stage.url}none").status_code
    assert 501 == httpx.post(f"{stage.url}commit", content=b"1").status_code
