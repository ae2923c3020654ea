"""The client of the Platform API, over real HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.dyno import free_port
from deploy.errors import DeployError
from deploy.fake_heroku.server import FakeHeroku
from deploy.heroku import Heroku
from tests.deploy.conftest import APP, ServeJson, deploy_slug


def test_a_new_app_has_no_release_and_no_dyno(client: Heroku, fake_heroku: FakeHeroku) -> None:
    """It has its URL already."""
    assert client.releases() == []
    assert client.web_dynos() == []
    assert client.app().web_url == fake_heroku.url


def test_releases_come_newest_first_with_their_commits(client: Heroku, fake_heroku: FakeHeroku) -> None:
    """The dyno runs the current one."""
    for commit in ("a" * 40, "b" * 40):
        deploy_slug(fake_heroku, commit)

    newest, oldest = client.releases()

    assert [newest.version, oldest.version] == [2, 1]
    assert [client.commit_of(newest), client.commit_of(oldest)] == ["b" * 40, "a" * 40]
    assert [newest.current, oldest.current] == [True, False]
    assert [(dyno.release.version, dyno.state) for dyno in client.web_dynos()] == [(2, "up")]
    assert str(newest) == "v2 (Deploy bbbbbbbb)"


def test_a_rollback_is_a_new_release_of_an_old_slug(client: Heroku, fake_heroku: FakeHeroku) -> None:
    """With a new version and the old commit."""
    for commit in ("a" * 40, "b" * 40):
        deploy_slug(fake_heroku, commit)
    oldest = client.releases()[-1]

    made = client.roll_back(oldest)

    assert made.version == 3
    assert made.description == "Rollback to v1"
    assert client.commit_of(made) == "a" * 40


def test_a_wrong_key_is_an_error(fake_heroku: FakeHeroku) -> None:
    """It names the variable and never the key."""
    with (
        Heroku(replace(fake_heroku.settings, key="s3cret")) as client,
        pytest.raises(DeployError, match="HEROKU_API_KEY is not accepted") as caught,
    ):
        client.app()
    assert "s3cret" not in str(caught.value) + repr(replace(fake_heroku.settings, key="s3cret"))


def test_an_unknown_app_is_an_error(fake_heroku: FakeHeroku) -> None:
    """It names the variable to check."""
    with (
        Heroku(replace(fake_heroku.settings, app="other")) as client,
        pytest.raises(DeployError, match="is HEROKU_APP"),
    ):
        client.app()


def test_a_platform_that_cannot_be_reached_is_an_error(fake_heroku: FakeHeroku) -> None:
    """It shows the URL."""
    url = f"http://127.0.0.1:{free_port()}"
    with Heroku(replace(fake_heroku.settings, api_url=url)) as client, pytest.raises(DeployError, match=url):
        client.releases()


@pytest.mark.parametrize("body", ["{}", "[]", "not JSON", '{"name": 1, "web_url": 2}'])
def test_an_unexpected_body_is_an_error(fake_heroku: FakeHeroku, serve_json: ServeJson, body: str) -> None:
    """Other JSON and no JSON."""
    with (
        serve_json({f"apps/{APP}": body}) as url,
        Heroku(replace(fake_heroku.settings, api_url=url)) as client,
        pytest.raises(DeployError, match="answered with an unexpected body"),
    ):
        client.app()
