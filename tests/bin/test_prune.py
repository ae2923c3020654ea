"""bin/post_compile removes only files that the service does not need, and compiles bytecode that stays valid."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bin.prune import KEPT, PRUNED, Unused, find, prune, strip

UNCHECKED_HASH = 1
"""Flags in bytes 4 to 8 of a .pyc file (PEP 552): bit 0 = hash-based, bit 1 = check the source."""


def read_names(requirements: Path) -> list[str]:
    """The packages of a lock file, but for pip."""
    names = re.findall(r"^([a-z0-9_-]+)==", requirements.read_text(), re.MULTILINE)
    return [name for name in dict.fromkeys(names) if name != "pip"]


@pytest.fixture(scope="module")
def packages(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages folder with the packages of requirements.txt only, linked from this environment."""
    folder = tmp_path_factory.mktemp("slug") / "site-packages"
    home = Path(sysconfig.get_path("purelib"))
    for name in read_names(root / "requirements.txt"):
        for file in importlib.metadata.files(name) or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(home / file, target) if same_disk(home, folder) else shutil.copy2(home / file, target)
    return folder


def same_disk(one: Path, other: Path) -> bool:
    """Whether files can be hard-linked from one folder to the other."""
    return one.stat().st_dev == other.stat().st_dev


def run(packages: Path, root: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with these packages and the checkout on the path, without writing bytecode."""
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    # -S: without the packages of this environment.
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def run_hook(root: Path, environment: Path, app: Path) -> subprocess.CompletedProcess[str]:
    """Run bin/post_compile as the buildpack does: in the app's folder, with its Python first on PATH."""
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(root / "bin" / "post_compile")]
    return subprocess.run(command, cwd=app, env={"PATH": path}, capture_output=True, text=True)


@pytest.mark.parametrize("unused", PRUNED, ids=lambda unused: unused.pattern)
def test_every_pattern_matches_a_file(packages: Path, unused: Unused) -> None:
    """A line that matches nothing must be removed or corrected."""
    assert find(unused, packages)
    assert unused.why


def test_the_service_passes_its_self_test_without_the_pruned_files(packages: Path, root: Path, tmp_path: Path) -> None:
    """Also with every module imported; at least a quarter of the bytes is saved."""
    pruned = tmp_path / "site-packages"
    shutil.copytree(packages, pruned, copy_function=os.link)
    whole = sum(file.stat().st_size for file in pruned.rglob("*") if file.is_file())

    saved = prune(pruned)

    assert [path for unused in PRUNED for path in find(unused, pruned)] == []
    assert whole / 4 < saved < whole
    assert prune(pruned) == 0
    code = """
import json, sys
from pathlib import Path
import decisions.postgresql, decisions.sqlite, serve.__main__, serve.app, serve.selftest
code = serve.selftest.main(["artifacts/model.onnx"])
app = serve.app.create_app()
print(json.dumps([code, sys.modules["onnxruntime"].__file__]))
"""
    done = run(pruned, root, code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [0, str(pruned / "onnxruntime" / "__init__.py")]


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("strip") is None, reason="no strip on this machine")
def test_debug_symbols_are_removed(packages: Path, root: Path, tmp_path: Path) -> None:
    """Three quarters of uvloop, and what is left runs; a second time nothing is left to remove."""
    stripped = tmp_path / "site-packages"
    for name in ("uvloop", "httptools"):
        shutil.copytree(packages / name, stripped / name)
    before = sum(file.stat().st_size for file in stripped.rglob("*.so"))

    saved = strip(stripped)

    assert saved > before / 2
    assert strip(stripped) == 0
    code = "import asyncio, uvloop, httptools.parser; print(uvloop.run(asyncio.sleep(0, 'slept')), uvloop.__file__)"
    assert run(stripped, root, code).stdout.split() == ["slept", str(stripped / "uvloop" / "__init__.py")]


def test_pip_is_not_pruned(tmp_path: Path) -> None:
    """Although it has folders that match; the platform needs it in the next build."""
    for name in (*KEPT, "numpy"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "tests" / "test_it.py").write_text("1")

    assert prune(tmp_path) == 1

    assert (tmp_path / "pip" / "tests" / "test_it.py").exists()
    assert not (tmp_path / "numpy" / "tests").exists()


def test_nested_folders_and_links_are_removed(tmp_path: Path) -> None:
    """A matching folder inside another is no error; the target of a link is kept."""
    (tmp_path / "a" / "tests" / "tests").mkdir(parents=True)
    (tmp_path / "a" / "tests" / "tests" / "data").write_text("12")
    (tmp_path / "kept.txt").write_text("1")
    (tmp_path / "a" / "stub.pyi").symlink_to(tmp_path / "kept.txt")

    prune(tmp_path)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "kept.txt"]


def test_the_hook_compiles_every_module(root: Path, tmp_path: Path) -> None:
    """Packages and service; no .pyc depends on a modification time, so that copies stay valid."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next(environment.glob("lib/python*/site-packages"))
    app = tmp_path / "app"
    sources = ("decisions/store.py", "model/session.py", "serve/api/score.py")
    for path in (site / "package" / "module.py", *(app / name for name in sources)):
        path.parent.mkdir(parents=True)
        path.write_text("answer = 42\n")

    done = run_hook(root, environment, app)

    assert done.returncode == 0, done.stdout + done.stderr
    compiled = [*site.rglob("module.*.pyc"), *app.rglob("*.pyc")]
    assert sorted(file.name.partition(".")[0] for file in compiled) == ["module", "score", "session", "store"]
    assert [int.from_bytes(file.read_bytes()[4:8], "little") for file in compiled] == [UNCHECKED_HASH] * 4


@pytest.mark.parametrize("module", ["decisions/store.py", "model/session.py", "serve/app.py"])
def test_a_module_that_cannot_be_compiled_fails_the_build(root: Path, tmp_path: Path, module: str) -> None:
    """The build prints the file of a syntax error."""
    for path in ("decisions/store.py", "model/session.py", "serve/app.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("def broken(:\n" if path == module else "answer = 42\n")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)

    done = run_hook(root, environment, tmp_path)

    assert done.returncode != 0
    assert module in done.stdout + done.stderr
    assert "NOT compiled" in done.stdout
