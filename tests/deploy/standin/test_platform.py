"""The stand-in's releases: only one that passes its release command gets the dyno."""

from __future__ import annotations

import os
import signal

import httpx

from deploy.__main__ import wait_until
from tests.deploy.conftest import PATIENCE_SECONDS, Stage


def test_a_release_goes_from_pending_to_current(stage: Stage) -> None:
    """And the one before it isn't current any more."""
    first = stage.release(stage.make_slug("a" * 40))
    second = stage.release(stage.make_slug("b" * 40))

    assert ("succeeded", True) == (first.status, first.current)
    assert ("succeeded", True) == (second.status, second.current)
    assert [False, True] == [release.current for release in stage.platform.releases]
    assert "b" * 40 == httpx.get(f"{stage.url}commit").text


def test_a_failed_release_changes_nothing(stage: Stage) -> None:
    """The dyno isn't even restarted."""
    stage.release(stage.make_slug("a" * 40))
    before = stage.platform.web_url()

    failed = stage.release(stage.make_slug("b" * 40, release="false"))

    assert ("failed", False) == (failed.status, failed.current)
    assert before == stage.platform.web_url()
    assert [True, False] == [release.current for release in stage.platform.releases]


def test_a_process_that_ends_later_is_crashed(stage: Stage) -> None:
    """The platform says so, whenever it is asked."""
    stage.release(stage.make_slug("a" * 40, web="echo $$ > pid; exec python -m http.server $PORT --bind 127.0.0.1"))
    folder = next(iter(stage.platform.slugs.values())).folder
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)

    assert wait_until(lambda: stage.platform.dynos()[0]["state"] == "crashed", PATIENCE_SECONDS)
