"""Build a slug as Heroku's Python buildpack does.

The steps and their order are those of heroku-buildpack-python (bin/compile, lib/pip.sh, lib/cache.sh, lib/hooks.sh):
.slugignore, runtime.txt, the cached environment if requirements.txt is the same, pip, bin/post_compile.
Two differences: the environment is a venv, and pip may use its download cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.errors import DeployError
from deploy.python_version import find_python, read_runtime
from deploy.slugignore import remove_ignored

HOME = Path(".heroku/python")
"""The Python environment inside a slug."""

PIP_FLAGS = ("--disable-pip-version-check", "--exists-action=w", "--no-input", "--progress-bar=off", "--quiet")


def build(tree: Path, *, cache: Path | None = None, python: Path | None = None) -> None:
    """Turn a tree of files into a slug, in place; raises DeployError if a step fails.

    `cache`: folder that keeps the environment for the next build. `python`: interpreter to use instead of the one that
    runtime.txt names.
    """
    remove_ignored(tree)
    version = read_runtime(tree)
    python = python or find_python(version)
    say(f"Using Python {version} specified in runtime.txt")
    if not restore(tree, cache, python):
        run("python -m venv", [str(python), "-m", "venv", str(tree / HOME)], tree)
    say("Installing dependencies using 'pip install -r requirements.txt'")
    run("pip install", ["python", "-m", "pip", "install", *PIP_FLAGS, "-r", "requirements.txt"], tree)
    if (tree / "bin" / "post_compile").exists():
        say("Running bin/post_compile hook")
        for line in run("bin/post_compile", ["bin/post_compile"], tree).splitlines():
            print(f"       {line}", flush=True)
    if cache is not None:
        save(tree, cache, python)


def restore(tree: Path, cache: Path | None, python: Path) -> bool:
    """Move the cached environment into the tree; returns False if there is none for these requirements and Python."""
    if cache is None or not (cache / "python").is_dir() or (cache / "key").read_bytes() != make_key(tree, python):
        return False
    say("Restoring cache")
    (tree / HOME).parent.mkdir(parents=True)
    shutil.move(cache / "python", tree / HOME)
    return True


def save(tree: Path, cache: Path, python: Path) -> None:
    """Copy the environment into the cache, without modification times, as Heroku does."""
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    run("cache", ["cp", "--recursive", str(tree / HOME), str(cache / "python")], tree)
    (cache / "key").write_bytes(make_key(tree, python))


def make_key(tree: Path, python: Path) -> bytes:
    """The cache key of an environment: interpreter and requirements."""
    return str(python).encode() + b"\0" + (tree / "requirements.txt").read_bytes()


def make_environment(slug: Path, **variables: str) -> dict[str, str]:
    """The environment variables of a dyno; the caller's settings and secrets are left out."""
    inherited: Mapping[str, str] = {
        name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "LC_", "TMP"))
    }
    return {
        **inherited,
        "PATH": f"{slug / HOME / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(slug),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(slug),
        **variables,
    }


def run(step: str, command: list[str], slug: Path, **variables: str) -> str:
    """Run a command in a slug, in a dyno's environment; returns what it printed, raises DeployError if it fails."""
    environment = make_environment(slug, **variables)
    done = subprocess.run(
        command, cwd=slug, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise DeployError(f"{step} failed with code {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def say(step: str) -> None:
    """Print the heading of a build step as Heroku does."""
    print(f"-----> {step}", flush=True)
