"""A push to the stand-in over HTTP: authenticated, built by the hook, released; a bad build refuses the push."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import deploy.__main__ as main
from deploy.errors import DeployError
from deploy.rehearse import HOOK
from deploy.runtime import find_python, read_runtime
from tests.deploy.conftest import APP, KEY, Stage

PROCFILE = "release: test -e good\nweb: exec python -m http.server $PORT --bind 127.0.0.1\n"


@pytest.fixture
def checkout(stage: Stage, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a tiny app, and the repository that the stand-in serves, with its hook."""
    repository, folder = tmp_path / "repository", tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(repository)], check=True)
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(HOOK.format(python=sys.executable))
    hook.chmod(0o755)
    monkeypatch.setattr(main, "ROOT", folder)
    monkeypatch.setenv("STANDIN_API", f"{stage.settings.api_url}/apps/{APP}")
    monkeypatch.setenv("STANDIN_FOLDER", str(tmp_path / "platform"))
    monkeypatch.setenv("HEROKU_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", str(root))
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    (folder / "Procfile").write_text(PROCFILE)
    (folder / "good").touch()
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "runtime.txt").write_text(f"python-3.{sys.version_info.minor}\n")
    return folder


def commit(folder: Path) -> None:
    """Commit everything."""
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "-C", str(folder), "add", "--all"], check=True)
    command = ["git", "-C", str(folder), *author, "commit", "--quiet", "--allow-empty", "--message", "x"]
    subprocess.run(command, check=True)


def test_a_push_is_built_and_released_and_a_bad_one_changes_nothing(
    checkout: Path,
    stage: Stage,
    tmp_path: Path,
    fill_cache: Callable[[Path, Path, Path], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The same command as in production: with a wrong key, with a good tree, a bad release, a bad build."""
    fill_cache(tmp_path / "platform" / "cache", checkout, find_python(read_runtime(checkout)))
    commit(checkout)
    with pytest.raises(DeployError, match="the push was refused"):
        main.push(replace(stage.settings, key="wrong"))
    assert [] == stage.platform.releases

    main.push(stage.settings)

    printed = capfd.readouterr().err
    assert "remote:        Released v1" in printed
    assert KEY not in printed
    assert PROCFILE == httpx.get(f"{stage.url}Procfile").text

    (checkout / "good").unlink()
    commit(checkout)
    main.push(stage.settings)

    assert "remote:  !     Release command failed" in capfd.readouterr().err
    assert ["succeeded", "failed"] == [release.status for release in stage.platform.releases]

    (checkout / "runtime.txt").write_text("newest\n")
    commit(checkout)
    with pytest.raises(DeployError, match="the push was refused"):
        main.push(stage.settings)

    assert "Push rejected, failed to compile" in capfd.readouterr().err
    assert 2 == len(stage.platform.releases)
    assert 200 == httpx.get(f"{stage.url}good").status_code


def test_another_branch_builds_nothing(checkout: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only main is deployed."""
    commit(checkout)
    monkeypatch.setattr(main, "BRANCH", "refs/heads/other")

    main.push(stage.settings)

    assert [] == stage.platform.releases
    assert not (Path(os.environ["STANDIN_FOLDER"]) / "slugs").exists()
