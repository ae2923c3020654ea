"""A tree is built into a slug as Heroku's buildpack does it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.buildpack import HOME, build, make_environment, make_key, restore
from deploy.errors import DeployError
from tests.deploy.conftest import Build, FillCache, write_tree

PYTHON = Path(sys.executable)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree to build."""
    return write_tree(tmp_path / "tree")


def test_a_build_makes_a_slug_and_fills_the_cache(first_build: Build) -> None:
    """Ignored files are removed, the environment is made, the hook runs in it, and a copy is cached."""
    assert not (first_build.slug / "notes.md").exists()
    assert f"       hook runs in {first_build.slug / HOME}" in first_build.output
    assert (first_build.cache / "python" / "marker").exists()


def test_a_failed_hook_fails_the_build(
    tree: Path, tmp_path: Path, fill_cache: FillCache, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second build restores the environment from the cache; the error shows what the hook printed."""
    fill_cache(tmp_path / "cache", tree, PYTHON)
    (tree / "bin" / "post_compile").write_text("#!/bin/sh\necho broken hook; exit 4\n")

    with pytest.raises(DeployError, match="bin/post_compile failed with code 4: broken hook"):
        build(tree, cache=tmp_path / "cache", python=PYTHON)

    assert "-----> Restoring cache" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("requirements", "python"), [("# other\n", PYTHON), ("# no packages\n", Path("/other/python"))]
)
def test_the_cache_is_ignored_for_other_requirements_or_another_python(
    tree: Path, tmp_path: Path, requirements: str, python: Path
) -> None:
    """The environment is made again, so that no package of the earlier build is left in it."""
    (tmp_path / "cache" / "python").mkdir(parents=True)
    (tmp_path / "cache" / "key").write_bytes(make_key(tree, PYTHON))
    (tree / "requirements.txt").write_text(requirements)

    assert not restore(tree, tmp_path / "cache", python)
    assert not restore(tree, tmp_path / "missing", python)
    assert not (tree / HOME).exists()


def test_a_package_with_another_hash_fails_the_build(tree: Path, tmp_path: Path, fill_cache: FillCache) -> None:
    """pip checks every hash as soon as requirements.txt gives one."""
    (tree / "package-1.0-py3-none-any.whl").write_bytes(b"changed")
    (tree / "requirements.txt").write_text(f"./package-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}\n")
    fill_cache(tmp_path / "cache", tree, PYTHON)

    with pytest.raises(DeployError, match=r"pip install failed(.|\n)*HASHES"):
        build(tree, cache=tmp_path / "cache", python=PYTHON)


def test_an_invalid_runtime_fails_before_anything_is_installed(tree: Path) -> None:
    """The error is that of deploy/python_version.py."""
    (tree / "runtime.txt").write_text("3.13")

    with pytest.raises(DeployError, match=r"runtime\.txt says '3.13'"):
        build(tree)

    assert not (tree / HOME).exists()


def test_a_dyno_does_not_inherit_the_callers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither secrets nor settings of the service."""
    monkeypatch.setenv("HEROKU_API_KEY", "k3y")
    monkeypatch.setenv("WEB_CONCURRENCY", "9")

    environment = make_environment(tmp_path, PORT="1")

    assert environment["PORT"] == "1"
    assert not {"HEROKU_API_KEY", "WEB_CONCURRENCY"} & environment.keys()
