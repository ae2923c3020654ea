"""What the platform does with a pushed tree, done here: from files to a slug that can run.

The steps and their order are those of heroku-buildpack-python (bin/compile, lib/pip.sh, lib/cache.sh, lib/hooks.sh):
.slugignore, runtime.txt, the environment of the last build if requirements.txt is the same, pip, bin/post_compile.
Two liberties: the environment is a venv, and pip may use its own download cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.errors import DeployError
from deploy.runtime import find_python, read_runtime
from deploy.slugignore import remove_ignored

HOME = Path(".heroku/python")
"""The environment inside a slug."""

PIP_FLAGS = ("--disable-pip-version-check", "--exists-action=w", "--no-input", "--progress-bar=off", "--quiet")


def build(tree: Path, *, cache: Path | None = None, python: Path | None = None) -> None:
    """Turn a tree of files into a slug, in place; `cache` is kept from one build to the next.

    `python` stands in for the interpreter that runtime.txt names. Raises DeployError if a step fails.
    """
    remove_ignored(tree)
    version = read_runtime(tree)
    python = python or find_python(version)
    say(f"Using Python {version} specified in runtime.txt")
    if not restore(tree, cache, python):
        run("venv", [str(python), "-m", "venv", str(tree / HOME)], tree)
    say("Installing dependencies using 'pip install -r requirements.txt'")
    run("pip", ["python", "-m", "pip", "install", *PIP_FLAGS, "-r", "requirements.txt"], tree)
    if (tree / "bin" / "post_compile").exists():
        say("Running bin/post_compile hook")
        for line in run("bin/post_compile", ["bin/post_compile"], tree).splitlines():
            print(f"       {line}", flush=True)
    if cache is not None:
        save(tree, cache, python)


def restore(tree: Path, cache: Path | None, python: Path) -> bool:
    """Move the environment of the last build into the tree if it fits this one; whether it did."""
    if cache is None or not (cache / "python").is_dir() or (cache / "key").read_bytes() != make_key(tree, python):
        return False
    say("Restoring cache")
    (tree / HOME).parent.mkdir(parents=True)
    shutil.move(cache / "python", tree / HOME)
    return True


def save(tree: Path, cache: Path, python: Path) -> None:
    """Copy the environment for the next build. As on the platform, modification times get lost."""
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    run("cache", ["cp", "--recursive", str(tree / HOME), str(cache / "python")], tree)
    (cache / "key").write_bytes(make_key(tree, python))


def make_key(tree: Path, python: Path) -> bytes:
    """What an environment was made from."""
    return str(python).encode() + b"\0" + (tree / "requirements.txt").read_bytes()


def make_environment(slug: Path, **variables: str) -> dict[str, str]:
    """The environment of a dyno: nothing of the machine but its paths, so that no setting of a developer leaks in."""
    kept: Mapping[str, str] = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "LC_", "TMP"))}
    return {
        **kept,
        "PATH": f"{slug / HOME / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(slug),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(slug),
        **variables,
    }


def run(step: str, command: list[str], slug: Path) -> str:
    """Run one step in a slug with its environment; returns what it printed, raises DeployError if it fails."""
    done = subprocess.run(
        command, cwd=slug, env=make_environment(slug), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise DeployError(f"the step '{step}' of the build failed with code {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def say(step: str) -> None:
    """Print a step as the platform does."""
    print(f"-----> {step}", flush=True)
