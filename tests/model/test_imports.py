"""What model/ imports: the runtime without its telemetry, and nothing that runs code which comes as data."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN_WHAT_THEY_READ = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}

WATCH_IMPORT = """
import os, sys
from importlib import import_module

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))

sys.meta_path.insert(0, Watch())
import_module(sys.argv[1])
"""


@pytest.mark.parametrize("before", [{}, {"ORT_DISABLE_TELEMETRY": "0"}], ids=["unset", "set to 0"])
@pytest.mark.parametrize("module", ["model.session", "serve.app", "score.batches", "train.adopt"])
def test_telemetry_is_off_before_onnxruntime_is_imported(root: Path, module: str, before: dict[str, str]) -> None:
    """Importing whatever comes to the runtime is enough, and nobody's environment can switch it on."""
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    done = subprocess.run(
        [sys.executable, "-c", WATCH_IMPORT, module],
        cwd=root,
        env=inherited | before,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["1"]


def test_no_module_can_unpickle(root: Path) -> None:
    """Nor read any other format that runs what is in it; numpy's own reader needs to be told to."""
    sources = {path.name: path.read_text() for path in (root / "model").glob("*.py")}

    assert "onnxruntime" in imported_by(sources["session.py"])
    assert {name: found for name, text in sources.items() if (found := imported_by(text) & RUN_WHAT_THEY_READ)} == {}
    assert [name for name, text in sources.items() if "allow_pickle" in text] == []


def imported_by(source: str) -> set[str]:
    """The top packages that a module imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in named}
