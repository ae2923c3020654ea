"""What the sources of serve/ and model/ import and reach for, and what they can do without."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

RUN_WHAT_THEY_READ = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}

NOT_AT_THE_START = ("click", "h11", "httptools", "onnx", "prometheus_client", "sklearn", "uvicorn", "uvloop")
"""Servers, which are somebody else's, and what is needed later or never."""

SERVER_PARTS = {"click", "h11", "httptools", "uvicorn", "uvloop"}

ABOUT_THE_SERVER = {"serve/__main__.py", "serve/parser.py"}
"""The sources that are about uvicorn, and ..."""

NAMING_THE_SERVER = {"serve/app.py", "serve/logs.py"}
"""those that name it: how the application is started, and whose lines the log holds."""

MOST_LINES = 250

IMPORT_ALL = """
import pkgutil, sys
from importlib import import_module

allowed = set(sys.argv[1].split(","))

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed | sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for package in ("model", "serve"):
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        import_module(module.name)
        print(module.name)
"""
"""Import every module of model/ and serve/ while every package but some is absent."""


@pytest.fixture(scope="module")
def sources(root: Path) -> dict[str, str]:
    """The sources of serve/ and model/ by their paths."""
    files = [*(root / "serve").rglob("*.py"), *(root / "model").rglob("*.py")]
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


@pytest.fixture(scope="module")
def locked(root: Path) -> set[str]:
    """The packages of requirements.txt."""
    text = (root / "requirements.txt").read_text()
    return {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def imported_by(source: str) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in named}


def private_names(source: str) -> Iterator[str]:
    """Names with one underscore before them that a module takes from elsewhere: attributes, imports, and by text."""
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
    """Nor read any other format that runs what is in it; numpy's own reader needs to be told to."""
    assert "msgspec" in imported_by(sources["serve/schemas/requests.py"])
    assert {name: found for name, text in sources.items() if (found := imported_by(text) & RUN_WHAT_THEY_READ)} == {}
    assert [name for name, text in sources.items() if "allow_pickle" in text] == []


def test_one_module_imports_the_runtime(sources: dict[str, str]) -> None:
    """And what is imported before it switches telemetry off, wherever one comes from: `python -m serve`, a worker,
    the self-test, a server that is given the application.
    """
    runtime = {name for name, text in sources.items() if "onnxruntime" in imported_by(text)}
    before = ast.parse(sources["model/__init__.py"]).body

    assert runtime == {"model/session.py"}
    assert [ast.unparse(node) for node in before[1:]] == ["import os", "os.environ['ORT_DISABLE_TELEMETRY'] = '1'"]


@pytest.mark.parametrize("module", ["serve.app", "serve.selftest", "serve.loading", "model.loading", "model.session"])
def test_telemetry_is_off_after_every_way_in(root: Path, module: str) -> None:
    """Whatever the environment said before."""
    script = f"import os; os.environ['ORT_DISABLE_TELEMETRY'] = '0'; import {module}; import onnxruntime; "
    script += "print(os.environ['ORT_DISABLE_TELEMETRY'])"

    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "1"


def test_every_import_is_of_a_package_that_is_deployed(sources: dict[str, str], locked: set[str]) -> None:
    """Also those in functions, which only a certain request would reach."""
    distributions = packages_distributions()
    deployed = {
        package
        for package, names in distributions.items()
        if {name.lower().replace("_", "-") for name in names} & locked
    }
    known = deployed | sys.stdlib_module_names | {"model", "serve"}

    assert {name: found for name, text in sources.items() if (found := imported_by(text) - known)} == {}


def test_requirements_alone_are_enough_to_import_everything(
    root: Path, sources: dict[str, str], locked: set[str]
) -> None:
    """Whatever else is installed here is absent, for the packages that are imported too."""
    allowed = {
        package
        for package, names in packages_distributions().items()
        if {name.lower().replace("_", "-") for name in names} & locked
    }

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(allowed | {"model", "serve"})],
        cwd=root,
        capture_output=True,
        text=True,
    )

    assert done.stderr == ""
    modules = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in sources}
    assert set(done.stdout.split()) == modules - {"model", "serve"}


def test_the_application_starts_without_what_it_may_never_need(root: Path) -> None:
    """No server: any may run it. What only some requests need is imported when they come."""
    script = "import serve.app, sys; print(*sorted(sys.modules))"

    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    modules = set(told.stdout.split())
    assert modules >= {"starlette", "serve.app", "onnxruntime"}
    assert modules & set(NOT_AT_THE_START) == set()


def test_nothing_of_ours_lies_below_the_server_s_own_interface(sources: dict[str, str]) -> None:
    """uvicorn and its parts are imported where it is started and where one of its settings is made, nowhere else."""
    importing = {name for name, text in sources.items() if imported_by(text) & SERVER_PARTS}
    naming = {name for name, text in sources.items() if "uvicorn" in text}

    assert importing == ABOUT_THE_SERVER
    assert naming == ABOUT_THE_SERVER | NAMING_THE_SERVER


def test_nothing_reaches_for_a_private_name(sources: dict[str, str]) -> None:
    """Of a package, of another module, or of another object: what begins with an underscore may change any day."""
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
def test_a_private_name_is_noticed(source: str, name: str) -> None:
    """However it is reached for: the test above can fail."""
    assert [*private_names(source)] == [name]


def test_what_is_ones_own_is_not_private() -> None:
    """Of a class, of a module, and what Python itself defines."""
    assert [*private_names("_x = 1\nself._y = _x\ncls._z()\nx.__name__\n")] == []


def test_a_module_can_be_read_at_once(sources: dict[str, str]) -> None:
    """None is longer than what a reader bears in mind."""
    lines = {name: len(text.splitlines()) for name, text in sources.items()}

    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
