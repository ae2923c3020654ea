"""A push over HTTP is authenticated, built by the hook and released; a failed build rejects it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import deploy.release as module
from deploy.errors import DeployError
from deploy.fake_heroku.server import FakeHeroku
from deploy.python_version import find_python, read_runtime
from tests.deploy.conftest import KEY, SERVER, FillCache

PROCFILE = f"release: test -e good\nweb: {SERVER}\n"


@pytest.fixture
def checkout(fake_heroku: FakeHeroku, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed checkout of a tiny app, in an environment in which the hook of the fake platform runs."""
    folder = tmp_path / "checkout"
    monkeypatch.setattr(module, "ROOT", folder)
    for name, value in (fake_heroku.hook_environment | {"PYTHONPATH": str(root)}).items():
        monkeypatch.setenv(name, value)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "good").touch()
    (folder / "requirements.txt").write_text("# no packages\n")
    (folder / "runtime.txt").write_text(f"python-3.{sys.version_info.minor}\n")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commit everything."""
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), "add", "--all"], check=True)
    subprocess.run(["git", "-C", str(folder), *author, "commit", "--quiet", "--message", "Change"], check=True)


def test_a_push_is_built_and_released_and_a_failed_one_changes_nothing(
    checkout: Path, fake_heroku: FakeHeroku, fill_cache: FillCache, capfd: pytest.CaptureFixture[str]
) -> None:
    """Four pushes: with a wrong key, a good commit, a failing release command, a failing build."""
    fill_cache(fake_heroku.folder / "cache", checkout, find_python(read_runtime(checkout)))
    with pytest.raises(DeployError, match="the push was rejected"):
        module.push(replace(fake_heroku.settings, key="wrong"))
    assert fake_heroku.platform.releases == []

    module.push(fake_heroku.settings)

    printed = capfd.readouterr().err
    assert "remote:        Released v1" in printed
    assert KEY not in printed
    assert httpx.get(f"{fake_heroku.url}Procfile").text == PROCFILE

    (checkout / "good").unlink()
    commit(checkout)
    module.push(fake_heroku.settings)

    assert "remote:  !     Release command failed" in capfd.readouterr().err
    assert [release.status for release in fake_heroku.platform.releases] == ["succeeded", "failed"]

    (checkout / "runtime.txt").write_text("newest\n")
    commit(checkout)
    with pytest.raises(DeployError, match="the push was rejected"):
        module.push(fake_heroku.settings)

    assert "Push rejected, failed to compile" in capfd.readouterr().err
    assert len(fake_heroku.platform.releases) == 2
    assert httpx.get(f"{fake_heroku.url}good").status_code == 200


def test_only_main_is_built(checkout: Path, fake_heroku: FakeHeroku, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push to another branch makes no slug and no release."""
    monkeypatch.setattr(module, "BRANCH", "refs/heads/other")

    module.push(fake_heroku.settings)

    assert fake_heroku.platform.releases == []
    assert not (fake_heroku.folder / "slugs").exists()
