"""Writing results so that nobody ever reads half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from train.card import Card, format_card
from train.errors import TrainingError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it there: old or new, never half.

    Raises TrainingError if the folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            draft.write(content)
        try:
            os.chmod(draft.name, 0o644)
            os.replace(draft.name, path)
        except OSError:
            os.unlink(draft.name)
            raise
    except OSError as error:
        raise TrainingError(f"can't write {path}: {error.strerror}; choose another folder with --out") from error


def inferred_path(out: Path, card: Card) -> Path:
    """Where an inferred card goes; raises TrainingError rather than let one be lost that somebody has edited."""
    path = out / f"{card.dataset.name}.toml"
    if path.exists() and path.read_bytes() != format_card(card):
        raise TrainingError(
            f"{path} exists and says something else; train from it with: python -m train {path}, or remove it first"
        )
    return path
