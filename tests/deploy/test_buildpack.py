"""A tree becomes a slug as the platform's buildpack would make it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.buildpack import HOME, build, make_environment, restore
from deploy.errors import DeployError

PYTHON = Path(sys.executable)

FillCache = Callable[[Path, Path, Path], None]

HOOK = """#!/bin/sh
python -c 'import sys; print("hook in", sys.prefix)'
touch .heroku/python/marker
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree as it is pushed: no packages, a hook, something to leave out."""
    folder = tmp_path / "tree"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "post_compile").write_text(HOOK)
    (folder / "bin" / "post_compile").chmod(0o755)
    (folder / "runtime.txt").write_text("python-3.13\n")
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / ".slugignore").write_text("/notes.md\n")
    (folder / "notes.md").touch()
    return folder


def test_a_tree_becomes_a_slug(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ignored files go, a fresh environment and the hook come, and the environment is kept for the next build."""
    build(tree, cache=tmp_path / "cache", python=PYTHON)

    assert not (tree / "notes.md").exists()
    assert f"       hook in {tree / HOME}" in capsys.readouterr().out
    assert (tmp_path / "cache" / "python" / "marker").exists()


def test_the_next_build_takes_the_environment_over(
    tree: Path, tmp_path: Path, fill_cache: FillCache, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a hook that fails, fails the build with what it printed."""
    fill_cache(tmp_path / "cache", tree, PYTHON)
    (tree / "bin" / "post_compile").write_text("#!/bin/sh\necho no; exit 4\n")

    with pytest.raises(DeployError, match="step 'bin/post_compile' of the build failed with code 4: no"):
        build(tree, cache=tmp_path / "cache", python=PYTHON)

    assert "-----> Restoring cache" in capsys.readouterr().out


@pytest.mark.parametrize(("requirements", "python"), [("# other\n", PYTHON), ("# nothing\n", Path("/other/python"))])
def test_other_requirements_or_another_python_begin_anew(
    tree: Path, tmp_path: Path, fill_cache: FillCache, requirements: str, python: Path
) -> None:
    """What was installed for something else isn't mixed in."""
    fill_cache(tmp_path / "cache", tree, PYTHON)
    (tree / "requirements.txt").write_text(requirements)

    assert not restore(tree, tmp_path / "cache", python)
    assert not restore(tree, tmp_path / "none", python)
    assert not (tree / HOME).exists()


def test_a_package_with_another_hash_fails_the_build(tree: Path, tmp_path: Path, fill_cache: FillCache) -> None:
    """pip checks every hash as soon as one is given."""
    (tree / "requirements.txt").write_text("msgspec==0.22.0 --hash=sha256:" + "0" * 64 + "\n")
    fill_cache(tmp_path / "cache", tree, PYTHON)

    with pytest.raises(DeployError, match=r"step 'pip' of the build failed(.|\n)*HASHES"):
        build(tree, cache=tmp_path / "cache", python=PYTHON)


def test_a_wrong_runtime_fails_before_anything_is_installed(tree: Path) -> None:
    """With the sentence of deploy/runtime.py."""
    (tree / "runtime.txt").write_text("3.13")

    with pytest.raises(DeployError, match=r"runtime\.txt says '3.13'"):
        build(tree)

    assert not (tree / HOME).exists()


def test_a_dyno_sees_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets and settings of whoever builds stay outside."""
    monkeypatch.setenv("HEROKU_API_KEY", "k3y")
    monkeypatch.setenv("WEB_CONCURRENCY", "9")

    environment = make_environment(tmp_path, PORT="1")

    assert "1" == environment["PORT"]
    assert not {"HEROKU_API_KEY", "WEB_CONCURRENCY"} & environment.keys()
