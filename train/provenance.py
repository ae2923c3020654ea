"""Provenance of a model: commit, time and library versions, from which it can be reproduced."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from train.errors import TrainingError

LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn")
CODE = ("train", "model", "requirements-train.txt")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Origin:
    """`commit`: the last one that changed code, data or card, '-dirty' if files differ from it, 'unknown' outside git.

    `trained_at`: UTC, ISO 8601.
    """

    commit: str
    trained_at: str
    libraries: dict[str, str]


def trace_origin(inputs: list[Path]) -> Origin:
    """The origin of a model made now from these input files (data, card).

    A path that is no file stands for an input that git doesn't know, such as a database.

    `trained_at` is SOURCE_DATE_EPOCH if set (reproducible-builds.org), otherwise the time of the last commit if all
    inputs are committed, so that a rebuild gives the same bytes, otherwise the current time.
    """
    paths = [*CODE, *(str(path.resolve()) for path in inputs)]
    tracked = [path.is_file() and path.resolve().is_relative_to(ROOT) for path in inputs]
    log = _git("log", "-1", "--format=%H %ct", "--", *paths) if all(tracked) else ""
    commit, _, seconds = (log or _git("log", "-1", "--format=%H %ct")).partition(" ")
    is_clean = bool(log) and not _git("status", "--porcelain", "--", *paths)
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or (seconds if is_clean else "")
    # 12 digits may be beyond the year 9999, the last one of datetime.
    if epoch and not (epoch.isdecimal() and len(epoch) <= 11):
        raise TrainingError(f"SOURCE_DATE_EPOCH is {epoch!r}, expected whole seconds since 1970, or nothing")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return Origin(
        commit=(commit if is_clean else f"{commit}-dirty") if commit else "unknown",
        trained_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        libraries={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    )


def sha256(content: bytes) -> str:
    """Hex digest of the SHA-256 hash."""
    return hashlib.sha256(content).hexdigest()


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
