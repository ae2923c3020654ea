"""Releases of the fake platform: only one whose release command succeeds gets the web dyno."""

from __future__ import annotations

import os
import signal

from deploy.fake_heroku.server import FakeHeroku
from deploy.release import wait_until
from tests.deploy.conftest import SERVER, TIMEOUT_SECONDS, deploy_slug, live_commit


def test_a_new_release_replaces_the_current_one(fake_heroku: FakeHeroku) -> None:
    """Once its release command has succeeded; the app's URL serves the new slug."""
    first = deploy_slug(fake_heroku, "a" * 40)
    second = deploy_slug(fake_heroku, "b" * 40)

    assert (first.status, first.current) == ("succeeded", True)
    assert (second.status, second.current) == ("succeeded", True)
    assert [release.current for release in fake_heroku.platform.releases] == [False, True]
    assert live_commit(fake_heroku) == "b" * 40


def test_a_failed_release_changes_nothing(fake_heroku: FakeHeroku) -> None:
    """The dyno is not restarted."""
    deploy_slug(fake_heroku, "a" * 40)
    before = fake_heroku.platform.web_url()

    failed = deploy_slug(fake_heroku, "b" * 40, release="false")

    assert (failed.status, failed.current) == ("failed", False)
    assert fake_heroku.platform.web_url() == before
    assert [release.current for release in fake_heroku.platform.releases] == [True, False]


def test_a_dyno_whose_process_ended_is_crashed(fake_heroku: FakeHeroku) -> None:
    """Also if it ended after it was up."""
    deploy_slug(fake_heroku, "a" * 40, web=f"echo $$ > pid; {SERVER}")
    folder = next(iter(fake_heroku.platform.slugs.values())).folder
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)

    assert wait_until(lambda: fake_heroku.platform.dynos()[0]["state"] == "crashed", TIMEOUT_SECONDS)
