"""Static rules for the sources of serve/, decisions/, monitor/ and model/: imports, private names, length of files."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

OURS = {"decisions", "model", "monitor", "serve"}
"""The packages of this project that are deployed."""

RUN_WHAT_THEY_READ = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}

NOT_AT_THE_START = ("click", "h11", "httptools", "onnx", "prometheus_client", "sklearn", "uvicorn", "uvloop")
"""Servers, which the application doesn't need, and packages that only some requests need."""

ONLY_WITH_A_DATABASE = ("decisions", "monitor", "psycopg", "sqlite3")
"""Packages that a service without DECISIONS_URL doesn't import."""

ONLY_IN_COMMANDS = {"pyarrow", "rich"}
"""Packages that commands of decisions/ import when they need them; the service runs without."""

SERVER_PARTS = {"click", "h11", "httptools", "uvicorn", "uvloop"}

ABOUT_THE_SERVER = {"serve/__main__.py", "serve/parser.py"}
"""Sources that import uvicorn."""

NAMING_THE_SERVER = {"serve/app.py", "serve/logs.py"}
"""Sources that name uvicorn, for its command and its loggers."""

MAX_LINES = 250

IMPORT_ALL = """
import pkgutil, sys
from importlib import import_module

allowed = set(sys.argv[1].split(","))

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed | sys.stdlib_module_names and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for package in ("decisions", "model", "monitor", "serve"):
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)
        print(module.name)
"""
"""Import every module of decisions/, model/, monitor/ and serve/ with only the given packages importable."""

START = """
import sys
from starlette.testclient import TestClient
from serve.app import create_app

with TestClient(create_app()) as client:
    assert client.get("/readyz").status_code == 200
    assert client.post("/predict", json={"data": [[5, 5, 48, 0, 0, 60, 140, 0, 0, 1300, 1700]]}).status_code == 200
print(*{name.partition(".")[0] for name in sys.modules})
"""
"""Start the application, let it answer, and print which packages were imported for it."""


@pytest.fixture(scope="module")
def sources(root: Path) -> dict[str, str]:
    """The sources of the four packages that are deployed, by path."""
    files = [path for folder in OURS for path in (root / folder).rglob("*.py")]
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


@pytest.fixture(scope="module")
def locked(root: Path) -> set[str]:
    """The packages of requirements.txt."""
    text = (root / "requirements.txt").read_text()
    return {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def imported_by(source: str) -> set[str]:
    """The top-level packages that a module imports, in functions too."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in named}


def private_names(source: str) -> Iterator[str]:
    """Private names that a module uses of others: attributes, imports, and in getattr."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(name.name for name in node.names)]
            yield from (name for name in parts if is_private(name))
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if any(map(is_private, name.name.split("."))))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr"):
            yield from (
                ast.unparse(node)
                for argument in node.args[1:2]
                if isinstance(argument, ast.Constant) and is_private(str(argument.value))
            )


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def test_no_module_can_unpickle(sources: dict[str, str]) -> None:
    """No import of a module that runs code from a file."""
    assert "msgspec" in imported_by(sources["serve/schemas/requests.py"])
    assert {name: found for name, text in sources.items() if (found := imported_by(text) & RUN_WHAT_THEY_READ)} == {}
    assert [name for name, text in sources.items() if "allow_pickle" in text] == []


def test_one_module_imports_the_runtime(sources: dict[str, str]) -> None:
    """onnxruntime is imported by one module, after telemetry was switched off."""
    runtime = {name for name, text in sources.items() if "onnxruntime" in imported_by(text)}
    before = ast.parse(sources["model/__init__.py"]).body

    assert runtime == {"model/session.py"}
    assert [ast.unparse(node) for node in before[1:]] == ["import os", "os.environ['ORT_DISABLE_TELEMETRY'] = '1'"]


@pytest.mark.parametrize("module", ["serve.app", "serve.selftest", "serve.loading", "model.loading", "model.session"])
def test_telemetry_is_off_in_every_entry_point(root: Path, module: str) -> None:
    """Whatever the environment variable was before."""
    script = f"import os; os.environ['ORT_DISABLE_TELEMETRY'] = '0'; import {module}; import onnxruntime; "
    script += "print(os.environ['ORT_DISABLE_TELEMETRY'])"

    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "1"


def test_every_import_is_of_a_package_that_is_deployed(sources: dict[str, str], locked: set[str]) -> None:
    """Imports in functions included."""
    distributions = packages_distributions()
    deployed = {
        package
        for package, names in distributions.items()
        if {name.lower().replace("_", "-") for name in names} & locked
    }
    known = deployed | sys.stdlib_module_names | OURS
    unknown = {name: found for name, text in sources.items() if (found := imported_by(text) - known)}

    assert {name: found for name, found in unknown.items() if not name.startswith("decisions/")} == {}
    assert set().union(*unknown.values()) <= ONLY_IN_COMMANDS


def test_requirements_alone_are_enough_to_import_everything(
    root: Path, sources: dict[str, str], locked: set[str]
) -> None:
    """With every other installed package hidden."""
    allowed = {
        package
        for package, names in packages_distributions().items()
        if {name.lower().replace("_", "-") for name in names} & locked
    }

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(allowed | OURS)],
        cwd=root,
        capture_output=True,
        text=True,
    )

    assert done.stderr == ""
    modules = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in sources}
    assert set(done.stdout.split()) == modules - OURS


def test_the_application_starts_without_optional_imports(root: Path) -> None:
    """No server, and nothing that only some requests need."""
    script = "import serve.app, sys; print(*sorted(sys.modules))"

    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    modules = set(told.stdout.split())
    assert modules >= {"starlette", "serve.app", "onnxruntime"}
    assert modules & set(NOT_AT_THE_START) == set()


@pytest.mark.parametrize(
    ("url", "imported"),
    [("", set()), ("sqlite:///decisions.db", {"decisions", "monitor", "sqlite3"})],
    ids=["off", "SQLite"],
)
def test_a_database_is_imported_only_where_decisions_are_recorded(
    root: Path, tmp_path: Path, url: str, imported: set[str]
) -> None:
    """Not for a service without DECISIONS_URL, and only the library of the database that it names."""
    settings = {"DECISIONS_URL": url, "MODEL_PATH": str(root / "artifacts" / "model.onnx"), "PYTHONPATH": str(root)}

    told = subprocess.run(
        [sys.executable, "-c", START],
        cwd=tmp_path,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(told.stdout.split()) & set(ONLY_WITH_A_DATABASE) == imported


def test_uvicorn_is_imported_only_where_it_is_started(sources: dict[str, str]) -> None:
    """And in its option `http`, serve/parser.py."""
    importing = {name for name, text in sources.items() if imported_by(text) & SERVER_PARTS}
    naming = {name for name, text in sources.items() if "uvicorn" in text}

    assert importing == ABOUT_THE_SERVER
    assert naming == ABOUT_THE_SERVER | NAMING_THE_SERVER


def test_no_private_name_of_another_module_is_used(sources: dict[str, str]) -> None:
    """Private names may change in any release."""
    found = {name: [*private_names(text)] for name, text in sources.items()}

    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import x\nx._y()", "x._y"),
        ("self.x._y", "self.x._y"),
        ("from x import _y", "_y"),
        ("from x._y import z", "_y"),
        ("import x._y", "x._y"),
        ("getattr(x, '_y')", "getattr(x, '_y')"),
    ],
)
def test_private_names_are_found(source: str, name: str) -> None:
    """However they are used."""
    assert [*private_names(source)] == [name]


def test_own_private_names_are_allowed() -> None:
    """Of the class or module itself, and names such as __name__."""
    assert [*private_names("_x = 1\nself._y = _x\ncls._z()\nx.__name__\n")] == []


def test_modules_are_short(sources: dict[str, str]) -> None:
    lines = {name: len(text.splitlines()) for name, text in sources.items()}

    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}
