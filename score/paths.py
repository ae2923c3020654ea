"""Checks of IN and OUT before anything is read or written."""

from __future__ import annotations

from pathlib import Path

from score.errors import ScoringError


def check_output(source: str, out: str) -> None:
    """Raise ScoringError if OUT is no folder that can be made, or is in IN or around it."""
    if Path(out).is_symlink() and not Path(out).exists():
        raise ScoringError(f"{out} is a link to {Path(out).readlink()}, which doesn't exist; choose another OUT")
    if Path(out).exists() and not Path(out).is_dir():
        raise ScoringError(f"{out} exists and is not a folder; choose another OUT")
    check_apart(source, out, Path(source).resolve().as_posix(), Path(out).resolve().as_posix())


def check_apart(source: str, out: str, absolute_source: str, absolute_out: str) -> None:
    """Raise ScoringError if one of two paths is in the other; the absolute ones are of any file system."""
    folders = [f"{path.rstrip('/')}/" for path in (absolute_source, absolute_out)]
    if folders[0] == folders[1]:
        raise ScoringError(f"IN and OUT are both {out}; choose another OUT")
    if folders[1].startswith(folders[0]):
        raise ScoringError(f"OUT, {out}, is inside IN, {source}; choose a folder outside of it")
    if folders[0].startswith(folders[1]):
        raise ScoringError(f"IN, {source}, is inside OUT, {out}; choose another OUT")
