"""The failure that a user of `python -m train` can correct, and helpers for its messages."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType


class TrainingError(Exception):
    """A card, table or option can't be used; the message gives value, expectation and next step.

    `python -m train` prints it as one line and exits with code 2.
    """


def import_optional(module: str, requirements: str) -> ModuleType:
    """Import a module whose libraries are optional; raises TrainingError naming the requirements file to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name or module} isn't installed; install it with: python -m pip install -r {requirements}"
        ) from error


def shorten(names: Sequence[str], max_names: int = 8) -> str:
    """The first names of a list that may have hundreds, for a message."""
    more = f" and {len(names) - max_names} more" if len(names) > max_names else ""
    return ", ".join(names[:max_names]) + more


def first_lines(error: BaseException, max_lines: int = 1) -> str:
    """The start of a library's error message, at most 400 characters, without query plan and stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:max_lines])[:400] if lines else type(error).__name__
