"""`python -m deploy`: what is live at the end, whatever goes wrong on the way."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import deploy.__main__ as main
from deploy.errors import DeployError
from deploy.heroku import Heroku
from tests.deploy.conftest import Stage

GOOD, BAD = "a" * 40, "b" * 40

Push = Callable[..., None]


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say which commit is checked out, in a clean checkout."""

    def check_out(commit: str) -> None:
        answers = {"rev-parse": commit, "status": ""}
        monkeypatch.setattr(main, "git", lambda *arguments: answers[arguments[0]])

    return check_out


@pytest.fixture
def push(stage: Stage, head: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Push:
    """Make the next push build a slug of such a commit and release it; without a commit nothing is built."""

    def prepare(commit: str, *, is_built: bool = True, **procfile: str) -> None:
        head(commit)

        def push(settings: object) -> None:
            if is_built:
                stage.release(stage.make_slug(commit, **procfile))

        monkeypatch.setattr(main, "push", push)

    return prepare


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits that were live when the smoke tests ran; they fail for BAD."""
    commits: list[str] = []

    def smoke(url: str) -> None:
        commits.append(httpx.get(f"{url}commit").text)
        if commits[-1] == BAD:
            raise DeployError("the smoke tests failed")

    monkeypatch.setattr(main, "smoke", smoke)
    return commits


def live(stage: Stage) -> str:
    """The commit that answers at the app's URL."""
    return httpx.get(f"{stage.url}commit").text


def test_the_first_version_goes_live(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Pushed, released, tried at its URL."""
    push(GOOD)

    main.deploy(heroku, stage.settings)

    assert [GOOD] == tried
    assert f"is live as v1 (Deploy aaaaaaaa) on {stage.url}" in capsys.readouterr().out


def test_a_failed_release_leaves_the_version_before(heroku: Heroku, stage: Stage, push: Push, tried: list[str]) -> None:
    """Nothing is tried, nothing is rolled back, the error names the release."""
    stage.release(stage.make_slug(GOOD))
    push(BAD, release="false")

    with pytest.raises(DeployError, match=r"the release v2 .* is 'failed'"):
        main.deploy(heroku, stage.settings)

    assert [] == tried
    assert GOOD == live(stage)
    assert 2 == len(heroku.releases())


def test_a_version_that_fails_its_smoke_tests_is_rolled_back(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str]
) -> None:
    """The version before is live again when the command ends."""
    stage.release(stage.make_slug(GOOD))
    push(BAD)

    with pytest.raises(DeployError, match=r"the smoke tests failed; rolled back to v1 .*, live as v3"):
        main.deploy(heroku, stage.settings)

    assert [BAD] == tried
    assert GOOD == live(stage)


def test_a_version_whose_process_crashes_is_rolled_back(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str]
) -> None:
    """Without a try: there is nothing to try."""
    stage.release(stage.make_slug(GOOD))
    push(BAD, web="exit 3")

    with pytest.raises(DeployError, match=r"a web process of v2 .* crashed; rolled back to v1"):
        main.deploy(heroku, stage.settings)

    assert [] == tried
    assert GOOD == live(stage)


def test_a_first_version_that_fails_has_nothing_to_go_back_to(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str]
) -> None:
    """The error says so."""
    push(BAD)

    with pytest.raises(DeployError, match="there is nothing to go back to"):
        main.deploy(heroku, stage.settings)


def test_a_commit_that_is_live_is_only_tried(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A workflow that runs again builds nothing."""
    stage.release(stage.make_slug(GOOD))
    push(GOOD)

    main.deploy(heroku, stage.settings)

    assert [GOOD] == tried
    assert 1 == len(heroku.releases())
    assert "is live already" in capsys.readouterr().out


def test_a_commit_that_failed_before_is_not_taken_for_live(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str]
) -> None:
    """The platform builds a commit once: git finds everything up to date, and no release follows."""
    stage.release(stage.make_slug(GOOD))
    stage.release(stage.make_slug(BAD, release="false"))
    push(BAD, is_built=False)

    with pytest.raises(DeployError, match="made no release of bbbbbbbbbbbb: it was pushed before"):
        main.deploy(heroku, stage.settings)

    assert GOOD == live(stage)


def test_a_rollback_that_fails_is_cried_out(
    heroku: Heroku, stage: Stage, push: Push, tried: list[str], tmp_path: Path
) -> None:
    """A release command that passes once and never again."""
    marker = tmp_path / "once"
    stage.release(stage.make_slug(GOOD, release=f"test ! -e {marker} && touch {marker}"))
    push(BAD)

    with pytest.raises(DeployError, match=r"AND the rollback to v1 .* failed"):
        main.deploy(heroku, stage.settings)


def test_a_changed_checkout_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pushed and what is tried would differ."""
    monkeypatch.setattr(main, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    main.check_clean()
    (tmp_path / "new.txt").touch()

    with pytest.raises(DeployError, match=r"commit or remove them first:\n\?\? new.txt"):
        main.check_clean()


def test_without_settings_it_says_which(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, one sentence."""
    monkeypatch.delenv("HEROKU_APP", raising=False)

    assert 1 == main.main()

    assert "deploy: HEROKU_APP is not set" in capsys.readouterr().err


def test_git_errors_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a checkout, for example."""
    monkeypatch.setattr(main, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(DeployError, match="git rev-parse HEAD: fatal"):
        main.git("rev-parse", "HEAD")
