"""Which release is live at the end of a deployment, for each step that can fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import deploy.release as module
from deploy.errors import DeployError
from deploy.fake_heroku.server import FakeHeroku
from deploy.heroku import Heroku
from tests.deploy.conftest import SERVER, deploy_slug, live_commit

GOOD, BAD = "a" * 40, "b" * 40

CheckOut = Callable[..., None]


@pytest.fixture
def check_out(fake_heroku: FakeHeroku, monkeypatch: pytest.MonkeyPatch) -> CheckOut:
    """Pretend that a commit is checked out; a push of it makes a slug with that Procfile and releases it."""

    def check_out(commit: str, *, is_built: bool = True, **procfile: str) -> None:
        def push(settings: object) -> None:
            if is_built:
                deploy_slug(fake_heroku, commit, **procfile)

        printed = {"rev-parse": commit, "status": ""}
        monkeypatch.setattr(module, "git", lambda *arguments: printed[arguments[0]])
        monkeypatch.setattr(module, "push", push)

    return check_out


@pytest.fixture
def smoke_tested(fake_heroku: FakeHeroku, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits that were live when the smoke tests ran; the tests fail for BAD."""
    commits: list[str] = []

    def smoke(url: str) -> None:
        commits.append(live_commit(fake_heroku))
        if commits[-1] == BAD:
            raise DeployError("the smoke tests failed")

    monkeypatch.setattr(module, "smoke", smoke)
    return commits


def test_the_first_version_goes_live(
    client: Heroku,
    fake_heroku: FakeHeroku,
    check_out: CheckOut,
    smoke_tested: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After the smoke tests passed at its URL."""
    check_out(GOOD)

    module.deploy(client, fake_heroku.settings)

    assert smoke_tested == [GOOD]
    assert f"is live as v1 (Deploy aaaaaaaa) on {fake_heroku.url}" in capsys.readouterr().out


def test_a_failed_release_leaves_the_previous_one_live(
    client: Heroku, fake_heroku: FakeHeroku, check_out: CheckOut, smoke_tested: list[str]
) -> None:
    """No smoke test runs, nothing is rolled back, the error names the release."""
    deploy_slug(fake_heroku, GOOD)
    check_out(BAD, release="false")

    with pytest.raises(DeployError, match=r"the release v2 .* is 'failed'"):
        module.deploy(client, fake_heroku.settings)

    assert smoke_tested == []
    assert live_commit(fake_heroku) == GOOD
    assert len(client.releases()) == 2


def test_a_release_that_does_not_end_is_said_to_go_live_untested(
    client: Heroku,
    fake_heroku: FakeHeroku,
    check_out: CheckOut,
    smoke_tested: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may still succeed, so that the error must not say that nothing changes."""
    check_out(GOOD)
    monkeypatch.setattr(module, "wait_for_status", lambda platform, release: "pending")

    with pytest.raises(DeployError, match="if it succeeds it goes live untested: watch it with"):
        module.deploy(client, fake_heroku.settings)

    assert smoke_tested == []


@pytest.mark.parametrize(
    ("web", "message", "tested"),
    [(SERVER, "the smoke tests failed", [BAD]), ("exit 3", r"a web dyno of v2 .* crashed", [])],
    ids=["smoke tests", "crash"],
)
def test_a_release_that_does_not_work_is_rolled_back(
    client: Heroku,
    fake_heroku: FakeHeroku,
    check_out: CheckOut,
    smoke_tested: list[str],
    web: str,
    message: str,
    tested: list[str],
) -> None:
    """The previous release is live again when the command ends; a crashed one is not smoke-tested."""
    deploy_slug(fake_heroku, GOOD)
    check_out(BAD, web=web)

    with pytest.raises(DeployError, match=rf"{message}; rolled back to v1 .*, live as v3"):
        module.deploy(client, fake_heroku.settings)

    assert smoke_tested == tested
    assert live_commit(fake_heroku) == GOOD


def test_a_first_release_that_fails_stays(
    client: Heroku, fake_heroku: FakeHeroku, check_out: CheckOut, smoke_tested: list[str]
) -> None:
    """There is no release to roll back to, and the error says so."""
    check_out(BAD)

    with pytest.raises(DeployError, match="there is no earlier release to roll back to"):
        module.deploy(client, fake_heroku.settings)


def test_a_commit_that_is_already_live_is_only_smoke_tested(
    client: Heroku,
    fake_heroku: FakeHeroku,
    check_out: CheckOut,
    smoke_tested: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A workflow that runs again makes no release."""
    deploy_slug(fake_heroku, GOOD)
    check_out(GOOD)

    module.deploy(client, fake_heroku.settings)

    assert smoke_tested == [GOOD]
    assert len(client.releases()) == 1
    assert "is already live" in capsys.readouterr().out


def test_a_commit_that_failed_before_is_not_deployed_again(
    client: Heroku, fake_heroku: FakeHeroku, check_out: CheckOut, smoke_tested: list[str]
) -> None:
    """The platform builds a commit once: git reports that it is up to date, and no release follows."""
    deploy_slug(fake_heroku, GOOD)
    deploy_slug(fake_heroku, BAD, release="false")
    check_out(BAD, is_built=False)

    with pytest.raises(DeployError, match="made no release of bbbbbbbbbbbb: it was pushed before"):
        module.deploy(client, fake_heroku.settings)

    assert live_commit(fake_heroku) == GOOD


def test_a_failed_rollback_is_reported(
    client: Heroku, fake_heroku: FakeHeroku, check_out: CheckOut, smoke_tested: list[str], tmp_path: Path
) -> None:
    """Here the release command succeeds only the first time."""
    marker = tmp_path / "once"
    deploy_slug(fake_heroku, GOOD, release=f"test ! -e {marker} && touch {marker}")
    check_out(BAD)

    with pytest.raises(DeployError, match=r"the rollback to v1 .* FAILED too"):
        module.deploy(client, fake_heroku.settings)


def test_a_checkout_with_uncommitted_changes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the changes."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    module.check_clean()
    (tmp_path / "new.txt").touch()

    with pytest.raises(DeployError, match=r"commit or remove them first:\n\?\? new.txt"):
        module.check_clean()


def test_git_errors_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command, here outside of a repository."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(DeployError, match="git rev-parse HEAD: fatal"):
        module.git("rev-parse", "HEAD")
