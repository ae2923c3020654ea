"""Finding the files of a portfolio, and opening them for the local engine.

`sort_files` serves both engines, so that both read the same files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from model.dialect import DialectOptions
from score.csv import TextSource
from score.decision_ids import make_base_id
from score.errors import ScoringError
from score.fingerprints import Fingerprint, take_fingerprint
from score.parquet import open_parquet
from score.partitions import read_partition
from score.portfolio import Portfolio, Source
from score.scorer import Scorer

Format = Literal["parquet", "text"]

FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "text",
    ".csv.gz": "text",
    ".tsv": "text",
    ".tsv.gz": "text",
}
"""The format of a file, by the end of its name."""

COMPRESSIONS = (".bz2", ".deflate", ".lz4", ".snappy", ".xz", ".zip", ".zst")
"""Ends of names that Spark would decompress or that are refused for the same reason."""


def open_portfolio(root: Path, scorer: Scorer, options: DialectOptions) -> Portfolio:
    """A single file, or all tables in a folder and its subfolders, in the order of their names.

    Raises ScoringError if there is nothing to read, or if a file can't be opened or can't be scored.
    """
    formats, ignored = sort_files(str(root), list_files(root), is_folder=root.is_dir())
    sources: list[Source] = []
    # Before a file is read, so that a change of it while it is read shows.
    fingerprints = {name: take_fingerprint(_join(root, name), root) for name in formats}
    for name, format in formats.items():
        path = _join(root, name)
        partition = read_partition(name, scorer.columns)
        base_id = make_base_id(scorer, options, fingerprints[name])
        source: Source = (
            open_parquet(path, partition, options, base_id)
            if format == "parquet"
            else TextSource(path, partition, scorer, options, base_id)
        )
        source.check(scorer)
        sources.append(source)
    return Portfolio(root, tuple(sources), tuple(root / name for name in ignored), tuple(fingerprints.values()))


def fingerprint_files(root: Path) -> tuple[Fingerprint, ...]:
    """Fingerprints of all tables of a portfolio as they are now."""
    formats, _ = sort_files(str(root), list_files(root), is_folder=root.is_dir())
    return tuple(take_fingerprint(_join(root, name), root) for name in formats)


def list_files(root: Path) -> list[str]:
    """The names of all files in a folder and its subfolders, relative to it; '' for a file."""
    try:
        return list(_walk(root)) if root.is_dir() or not root.stat() else [""]
    except FileNotFoundError as error:
        raise ScoringError(f"{root} doesn't exist; check the path") from error
    except OSError as error:
        raise ScoringError(f"can't read {error.filename or root}: {error.strerror or error}") from error


def _walk(root: Path) -> Iterator[str]:
    def stop(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=stop, followlinks=True):
        yield from (Path(folder, name).relative_to(root).as_posix() for name in names)
        for link in (Path(folder, name) for name in folders if Path(folder, name).is_symlink()):
            if Path(folder).resolve().is_relative_to(link.resolve()):
                raise ScoringError(f"the link {link} leads back to a folder that it is in; remove it")


def sort_files(root: str, names: Iterable[str], *, is_folder: bool) -> tuple[dict[str, Format], list[str]]:
    """The tables among the files, with their format, and the other files, in the order of their names.

    Names that begin with a dot or an underscore are skipped, as in Spark. A single file is a text table if its name
    doesn't tell another format. Raises ScoringError if there is no table.
    """
    if not is_folder:
        end = next((end for end in COMPRESSIONS if root.lower().endswith(end)), None)
        if end is not None:
            raise ScoringError(f"{root} is compressed ({end}); decompress it, or compress it with gzip instead (.gz)")
        return {"": _find_format(root) or "text"}, []
    visible = sorted((name for name in names if not _is_hidden(name)), key=lambda name: name.split("/"))
    formats = {name: format for name in visible if (format := _find_format(name)) is not None}
    if not formats:
        raise ScoringError(f"{root} holds no table; expected files that end in {', '.join(FORMATS)}")
    return formats, [name for name in visible if name not in formats]


def _join(root: Path, name: str) -> Path:
    path = root / name if name else root
    if not path.is_file():
        raise ScoringError(f"can't read {path}: it is not a file, or is a link to none")
    return path


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in name.split("/"))


def _find_format(name: str) -> Format | None:
    return next((format for end, format in FORMATS.items() if name.lower().endswith(end)), None)
