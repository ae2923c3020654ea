"""manifest.json: what an output was made of, and the settings by which an interrupted run is resumed.

`python -m decisions import` reads it too (decisions/portfolio_scores.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from model.dialect import Dialect, DialectOptions
from score.fingerprints import Fingerprint
from score.result_columns import scored_columns
from score.scorer import Scorer

LAYOUT_VERSION = 3
"""Raise it when new code writes parts that don't fit beside older ones; unfinished runs then start over."""


class RunSettings(Struct, frozen=True):
    """Everything that determines the output: two runs with equal settings write the same OUT."""

    layout_version: int
    model_name: str
    model_version: str
    model_sha256: str
    id: str
    reasons: int
    files: tuple[Fingerprint, ...]
    columns: tuple[str, ...] = ()
    options: DialectOptions = DialectOptions()
    is_with_inputs: bool = False


def make_settings(scorer: Scorer, files: tuple[Fingerprint, ...], options: DialectOptions) -> RunSettings:
    """The settings of a run over these files."""
    contract = scorer.model.contract
    return RunSettings(
        LAYOUT_VERSION,
        contract.name,
        contract.version,
        scorer.model.sha256,
        scorer.id,
        scorer.reasons,
        files,
        tuple(scored_columns(scorer)),
        options,
        scorer.is_with_inputs,
    )


class Counts(Struct, frozen=True):
    """Numbers of rows: read, scored, rejected."""

    read: int
    scored: int
    rejected: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.read + other.read, self.scored + other.scored, self.rejected + other.rejected)


class Manifest(Struct, frozen=True, rename={"settings": "job"}):
    """Content of manifest.json; until the output is complete, `rows` and `finished_at` are null and `read_as` is empty.

    `read_as`: how each text table was read, by its name. `finished_at`: RFC 3339, UTC. In the file `settings` is called
    `job`, the key that readers of manifest.json rely on.
    """

    settings: RunSettings
    rows: Counts | None
    read_as: dict[str, Dialect] = {}
    finished_at: datetime | None = None

    @classmethod
    def of_finished(cls, settings: RunSettings, rows: Counts, read_as: Mapping[str, Dialect]) -> bytes:
        """The content of the file for an output that is complete now."""
        return msgspec.json.format(msgspec.json.encode(cls(settings, rows, dict(read_as), datetime.now(UTC))))


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None if it has none that can be read."""
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
