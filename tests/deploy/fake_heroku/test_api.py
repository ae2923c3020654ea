"""The fake platform answers over HTTP as Heroku documents it."""

from __future__ import annotations

import httpx
import pytest

from deploy.fake_heroku.server import FakeHeroku
from tests.deploy.conftest import APP, KEY, deploy_slug


def api(heroku: FakeHeroku, key: str = KEY) -> httpx.Client:
    """A plain HTTP client of the Platform API."""
    return httpx.Client(base_url=f"{heroku.settings.api_url}/apps/{APP}", headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("path", ["", "/releases", "/releases/1", "/slugs/1", "/dynos"])
def test_a_request_with_a_wrong_key_is_401(fake_heroku: FakeHeroku, path: str) -> None:
    """The body is the platform's JSON."""
    with api(fake_heroku, "wrong") as client:
        answer = client.get(f"{fake_heroku.settings.api_url}/apps/{APP}{path}")

    assert (answer.status_code, answer.json()["id"]) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/releases/9", "/slugs/9"])
def test_an_unknown_release_or_slug_is_404(fake_heroku: FakeHeroku, path: str) -> None:
    """As on Heroku."""
    with api(fake_heroku) as client:
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("body", [{"release": "9"}, {"slug": "9"}, {}])
def test_an_unknown_slug_cannot_be_released(fake_heroku: FakeHeroku, body: dict[str, str]) -> None:
    """Neither as a rollback nor as a new release."""
    with api(fake_heroku) as client:
        assert client.post("/releases", json=body).status_code == 404
    assert fake_heroku.platform.releases == []


def test_git_requires_the_key(fake_heroku: FakeHeroku) -> None:
    """As a password, with the challenge that makes git ask its credential helper."""
    answer = httpx.get(f"{fake_heroku.settings.git_url}/info/refs?service=git-receive-pack")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="git"')


def test_the_router_answers_503_while_no_dyno_is_up(fake_heroku: FakeHeroku) -> None:
    """Before the first release and after a crash."""
    assert httpx.get(fake_heroku.url).status_code == 503
    deploy_slug(fake_heroku, "a" * 40, web="exit 1")
    assert httpx.get(fake_heroku.url).status_code == 503


def test_the_router_forwards_requests_and_responses(fake_heroku: FakeHeroku) -> None:
    """Path, query, status and body."""
    deploy_slug(fake_heroku, "a" * 40)

    assert httpx.get(f"{fake_heroku.url}commit?x=1").text == "a" * 40
    assert httpx.get(f"{fake_heroku.url}none").status_code == 404
    assert httpx.post(f"{fake_heroku.url}commit", content=b"1").status_code == 501
