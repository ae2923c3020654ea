"""Imports of model/: onnxruntime without telemetry, and no module that can execute code from data."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE_LOADERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}

PRINT_TELEMETRY_SETTING = """
import os, sys
from importlib import import_module

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))

sys.meta_path.insert(0, Watch())
import_module(sys.argv[1])
"""


ENTRY_POINTS = ("model.session", "serve.app", "score.batches", "train.import_model")


@pytest.mark.parametrize(
    ("module", "before"),
    [
        ("model.session", {}),
        *((module, {"ORT_DISABLE_TELEMETRY": "0"}) for module in ENTRY_POINTS),
    ],
)
def test_telemetry_is_off_before_onnxruntime_is_imported(root: Path, module: str, before: dict[str, str]) -> None:
    """Importing any entry point switches it off, whatever the environment says."""
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    done = subprocess.run(
        [sys.executable, "-c", PRINT_TELEMETRY_SETTING, module],
        cwd=root,
        env=inherited | before,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["1"]


def test_no_module_imports_pickle_or_the_like(root: Path) -> None:
    """numpy.load unpickles only with allow_pickle, which does not occur."""
    sources = {path.name: path.read_text() for path in (root / "model").glob("*.py")}

    assert "onnxruntime" in imported_by(sources["session.py"])
    assert {name: found for name, text in sources.items() if (found := imported_by(text) & CODE_LOADERS)} == {}
    assert [name for name, text in sources.items() if "allow_pickle" in text] == []


def imported_by(source: str) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}
