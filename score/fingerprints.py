"""Fingerprints of files, to notice that one was changed or replaced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from msgspec import Struct

from score.errors import ScoringError

FINGERPRINT_BYTES = 65_536
"""The fingerprint of a file has its size, its modification time, and the hash of this much at its start and end."""


class Fingerprint(Struct, frozen=True):
    """Identifies the content of a file."""

    path: str
    bytes: int
    modified_ns: int
    sha256_of_ends: str


def take_fingerprint(path: Path, root: Path) -> Fingerprint:
    """The fingerprint of a file of the portfolio `root`; raises ScoringError if it can't be read."""
    try:
        with path.open("rb") as file:
            status = path.stat()
            ends = file.read(FINGERPRINT_BYTES)
            file.seek(max(status.st_size - FINGERPRINT_BYTES, 0))
            ends += file.read()
    except OSError as error:
        raise ScoringError(f"can't read {path}: {error.strerror or error}") from error
    name = print_name(path, root)
    return Fingerprint(name, status.st_size, status.st_mtime_ns, hashlib.sha256(ends).hexdigest())


def print_name(path: Path, root: Path | None = None) -> str:
    """The name of a file in the portfolio, or a whole path, as text that can be printed whatever its bytes."""
    name = path if root is None else path.relative_to(root) if path != root else path.name
    return os.fsencode(name).decode("utf-8", "backslashreplace")
