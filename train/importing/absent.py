"""Stand-ins for a library that isn't installed, so that a pickle which mentions it can still be loaded.

A pipeline of imbalanced-learn resamples its training rows and does nothing more when it predicts: its samplers are only
skipped, and its Pipeline is read as scikit-learn's.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline


class AbsentStep(BaseEstimator):  # type: ignore[misc]
    """An object of a library that isn't installed: its attributes as they were saved, and the name of its class."""


class ResamplingPipeline(Pipeline):  # type: ignore[misc]
    """A pipeline of imblearn without its samplers, which `resampled_by` keeps."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        steps = state["steps"]
        kept = [step for step in steps if not isinstance(step[1], AbsentStep)]
        self.resampled_by = [step for _, step in steps if isinstance(step, AbsentStep)]
        super().__setstate__({**state, "steps": kept})


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module of one library, as modules that have a class of any name."""

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.split(".")[0] != self.library:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        def make_class(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            base = ResamplingPipeline if name == "Pipeline" else AbsentStep
            made = type(name, (base,), {"__module__": module.__name__})
            setattr(module, name, made)
            return made

        module.__getattr__ = make_class  # type: ignore[method-assign]


@contextmanager
def stand_in(library: str) -> Iterator[None]:
    """While it lasts, importing anything from `library` gives stand-ins, if the library isn't installed."""
    if importlib.util.find_spec(library) is not None:
        yield
        return
    finder = _StandIns(library)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] == library]:
            del sys.modules[name]
