"""What bin/post_compile leaves out isn't missed, and what it compiles stays compiled."""

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

from bin.prune import KEPT, PRUNED, Surplus, find, prune

UNCHECKED_HASH = 1
"""Flags of a .pyc file, its bytes 4 to 8 (PEP 552): bit 0 = by hash, bit 1 = check the source."""


def names_of(requirements: Path) -> list[str]:
    """The packages that a lock file installs on this machine."""
    names = re.findall(r"^([a-z0-9_-]+)==", requirements.read_text(), re.MULTILINE)
    return [name for name in dict.fromkeys(names) if name != "pip"]


@pytest.fixture(scope="module")
def packages(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages folder with the packages of requirements.txt and nothing else: links to this environment's."""
    folder = tmp_path_factory.mktemp("slug") / "site-packages"
    home = Path(sysconfig.get_path("purelib"))
    for name in names_of(root / "requirements.txt"):
        for file in importlib.metadata.files(name) or []:
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(home / file, target) if same_disk(home, folder) else shutil.copy2(home / file, target)
    return folder


def same_disk(one: Path, other: Path) -> bool:
    """Whether files can be linked from one folder to another."""
    return one.stat().st_dev == other.stat().st_dev


def run(packages: Path, root: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with these packages and the service alone, and without writing bytecode."""
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    # -S: nothing of this environment's own packages.
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def run_hook(root: Path, environment: Path, app: Path) -> subprocess.CompletedProcess[str]:
    """Run bin/post_compile as the buildpack does: in the app's folder, its Python first on the path."""
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(root / "bin" / "post_compile")]
    return subprocess.run(command, cwd=app, env={"PATH": path}, capture_output=True, text=True)


@pytest.mark.parametrize("surplus", PRUNED, ids=lambda surplus: surplus.pattern)
def test_every_line_still_finds_something(packages: Path, surplus: Surplus) -> None:
    """A line that finds nothing any more leaves nothing out; it should go or be mended."""
    assert find(surplus, packages)
    assert surplus.why


def test_the_service_starts_and_answers_without_what_is_left_out(packages: Path, root: Path, tmp_path: Path) -> None:
    """Golden rows, reasons and every route's module, on packages without anything of PRUNED; a third lighter."""
    pruned = tmp_path / "site-packages"
    shutil.copytree(packages, pruned, copy_function=os.link)
    whole = sum(file.stat().st_size for file in pruned.rglob("*") if file.is_file())

    saved = prune(pruned)

    assert [] == [path for surplus in PRUNED for path in find(surplus, pruned)]
    assert whole / 4 < saved < whole
    assert 0 == prune(pruned)
    code = """
import json, sys
from pathlib import Path
import serve.__main__, serve.app, serve.selftest
code = serve.selftest.main(["artifacts/model.onnx"])
app = serve.app.create_app()
print(json.dumps([code, sys.modules["onnxruntime"].__file__]))
"""
    done = run(pruned, root, code)
    assert 0 == done.returncode, done.stderr
    assert [0, str(pruned / "onnxruntime" / "__init__.py")] == json.loads(done.stdout.splitlines()[-1])


def test_packages_of_the_buildpack_stay_whole(tmp_path: Path) -> None:
    """pip has folders that look like ours to prune; the platform needs it in the next build."""
    for name in (*KEPT, "numpy"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "tests" / "test_it.py").write_text("1")

    assert 1 == prune(tmp_path)

    assert (tmp_path / "pip" / "tests" / "test_it.py").exists()
    assert not (tmp_path / "numpy" / "tests").exists()


def test_nested_folders_and_links_are_removed(tmp_path: Path) -> None:
    """A tests folder inside another; a link goes, what it leads to stays."""
    (tmp_path / "a" / "tests" / "tests").mkdir(parents=True)
    (tmp_path / "a" / "tests" / "tests" / "data").write_text("12")
    (tmp_path / "kept.txt").write_text("1")
    (tmp_path / "a" / "stub.pyi").symlink_to(tmp_path / "kept.txt")

    prune(tmp_path)

    assert ["a", "kept.txt"] == sorted(path.name for path in tmp_path.rglob("*"))


def test_the_hook_compiles_everything_for_good(root: Path, tmp_path: Path) -> None:
    """bin/post_compile in an environment of its own: each .pyc is tied to no time, so that copying spoils none."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next(environment.glob("lib/python*/site-packages"))
    app = tmp_path / "app"
    for path in (site / "package" / "module.py", app / "model" / "session.py", app / "serve" / "api" / "score.py"):
        path.parent.mkdir(parents=True)
        path.write_text("answer = 42\n")

    done = run_hook(root, environment, app)

    assert done.returncode == 0, done.stdout + done.stderr
    compiled = [*site.rglob("module.*.pyc"), *app.rglob("*.pyc")]
    assert sorted(file.name.partition(".")[0] for file in compiled) == ["module", "score", "session"]
    assert [int.from_bytes(file.read_bytes()[4:8], "little") for file in compiled] == [UNCHECKED_HASH] * 3


@pytest.mark.parametrize("module", ["model/session.py", "serve/app.py"])
def test_a_module_that_cannot_be_compiled_fails_the_build(root: Path, tmp_path: Path, module: str) -> None:
    """A typo in the service, or in what it stands on, is found at build time, with its file and line."""
    for path in ("model/session.py", "serve/app.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("def broken(:\n" if path == module else "answer = 42\n")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)

    done = run_hook(root, environment, tmp_path)

    assert done.returncode != 0
    assert module in done.stdout + done.stderr
    assert "NOT compiled" in done.stdout
