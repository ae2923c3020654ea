"""What the service imports: nothing that runs code which comes as data."""

from __future__ import annotations

import ast
from pathlib import Path

RUN_WHAT_THEY_READ = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}


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
