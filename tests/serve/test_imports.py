"""What the service imports: nothing that runs code which comes as data, nothing that a start can do without."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

RUN_WHAT_THEY_READ = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}

NOT_AT_THE_START = ("click", "uvicorn.supervisors", "uvicorn.main", "starlette", "onnx", "sklearn")


def imported_by(source: str) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in named}


def test_no_module_of_the_service_can_unpickle(root: Path) -> None:
    """Nor read any other format that runs what is in it; numpy's own reader needs to be told to."""
    sources = {path.name: path.read_text() for path in (root / "serve").rglob("*.py")}

    assert "msgspec" in imported_by(sources["bodies.py"])
    assert {} == {name: found for name, text in sources.items() if (found := imported_by(text) & RUN_WHAT_THEY_READ)}
    assert not [name for name, text in sources.items() if "allow_pickle" in text]


def test_a_service_starts_without_what_it_may_never_need(root: Path) -> None:
    """The command line of uvicorn, several workers, routing: each would cost time from exec to the first answer."""
    script = "import serve.server, serve.app, sys; print(*sorted(sys.modules))"

    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    modules = set(told.stdout.split())
    assert modules >= {"uvicorn", "uvicorn.server", "serve.app"}
    assert not modules & set(NOT_AT_THE_START)


def test_uvicorn_has_its_command_line_for_whoever_asks_for_it(root: Path) -> None:
    """What was left out at the start is there by its own name."""
    script = (
        "from serve.uvicorn_parts import Server; import uvicorn; assert uvicorn.Server is Server; "
        "from uvicorn.main import Server as same, run; assert same is Server"
    )

    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)
