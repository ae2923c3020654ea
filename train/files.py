"""Atomic writing of result files."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from train.card import Card, format_card
from train.errors import TrainingError


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file atomically; raises TrainingError if the folder can't be written."""
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Replace several files: all are written to temporary files and synced before the first is renamed into place.

    Raises TrainingError if a folder can't be written; then no file has changed.
    """
    drafts: dict[Path, str] = {}
    path = Path()
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
                drafts[path] = draft.name
                draft.write(content)
                draft.flush()
                os.fsync(draft.fileno())
            os.chmod(draft.name, 0o644)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        for path in list(drafts):
            os.replace(drafts[path], path)
            del drafts[path]
    except OSError as error:
        raise TrainingError(f"can't write {path}: {error.strerror}; choose another folder with --out") from error
    finally:
        for name in drafts.values():
            os.unlink(name)


def inferred_path(out: Path, card: Card) -> Path:
    """The path of an inferred card; raises TrainingError if another card is there, which may have been edited."""
    path = out / f"{card.dataset.name}.toml"
    if path.exists() and path.read_bytes() != format_card(card):
        raise TrainingError(
            f"{path} exists and differs from the inferred card; "
            f"train from it with: python -m train {path}, or remove it"
        )
    return path
