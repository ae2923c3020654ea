"""The client of the Platform API, over real HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.dyno import free_port
from deploy.errors import DeployError
from deploy.heroku import Heroku
from tests.deploy.conftest import APP, ServeFolder, Stage


def test_a_new_app_has_no_release_and_no_dyno(heroku: Heroku, stage: Stage) -> None:
    """And says where it will answer."""
    assert [] == heroku.releases()
    assert [] == heroku.web_dynos()
    assert stage.url == heroku.app().web_url


def test_releases_come_newest_first_with_their_commits(heroku: Heroku, stage: Stage) -> None:
    """One of them is current, and the dyno runs it."""
    for commit in ("a" * 40, "b" * 40):
        stage.release(stage.make_slug(commit))

    newest, oldest = heroku.releases()

    assert [2, 1] == [newest.version, oldest.version]
    assert ["b" * 40, "a" * 40] == [heroku.commit_of(newest), heroku.commit_of(oldest)]
    assert [True, False] == [newest.current, oldest.current]
    assert [(2, "up")] == [(dyno.release.version, dyno.state) for dyno in heroku.web_dynos()]
    assert "v2 (Deploy bbbbbbbb)" == str(newest)


def test_a_rollback_is_a_new_release_of_an_old_slug(heroku: Heroku, stage: Stage) -> None:
    """Pending at first, as its release command runs again."""
    for commit in ("a" * 40, "b" * 40):
        stage.release(stage.make_slug(commit))
    oldest = heroku.releases()[-1]

    made = heroku.roll_back(oldest)

    assert 3 == made.version
    assert "Rollback to v1" == made.description
    assert "a" * 40 == heroku.commit_of(made)


def test_a_wrong_key_is_named(stage: Stage) -> None:
    """And never printed."""
    with (
        Heroku(replace(stage.settings, key="s3cret")) as client,
        pytest.raises(DeployError, match="HEROKU_API_KEY is not accepted") as caught,
    ):
        client.app()
    assert "s3cret" not in str(caught.value) + repr(replace(stage.settings, key="s3cret"))


def test_a_wrong_app_is_named(stage: Stage) -> None:
    """With the request that found nothing."""
    with Heroku(replace(stage.settings, app="other")) as client, pytest.raises(DeployError, match="is HEROKU_APP"):
        client.app()


def test_a_platform_that_cannot_be_reached_is_an_error(stage: Stage) -> None:
    """One sentence with the URL."""
    url = f"http://127.0.0.1:{free_port()}"
    with Heroku(replace(stage.settings, api_url=url)) as client, pytest.raises(DeployError, match=url):
        client.releases()


@pytest.mark.parametrize("body", ["{}", "[]", "not JSON", '{"name": 1, "web_url": 2}'])
def test_an_answer_of_another_shape_is_an_error(stage: Stage, serve_folder: ServeFolder, body: str) -> None:
    """Rather than a wrong deployment."""
    with (
        serve_folder({f"apps/{APP}": body}) as url,
        Heroku(replace(stage.settings, api_url=url)) as client,
        pytest.raises(DeployError, match="answered something else than expected"),
    ):
        client.app()
