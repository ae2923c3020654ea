"""Finding and opening the files of a portfolio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from score.csv import open_csv
from score.errors import ScoringError
from score.parquet import open_parquet
from score.portfolio import Portfolio, Source

OPENERS: dict[str, Callable[[Path], Source]] = {
    ".parquet": open_parquet,
    ".pq": open_parquet,
    ".csv": open_csv,
    ".csv.gz": open_csv,
}
"""How a file is opened, by the end of its name."""


def open_portfolio(root: Path) -> Portfolio:
    """A single file, or all tables in a folder and its subfolders, sorted by path.

    Names that begin with a dot or an underscore are skipped, as in Spark. Raises ScoringError if there is nothing to
    read, or if a file can't be opened.
    """
    if not root.exists():
        raise ScoringError(f"{root} doesn't exist; check the path")
    found = sorted(path for path in root.rglob("*") if _is_data(path, root)) if root.is_dir() else [root]
    tables = {path: opener for path in found if (opener := _opener(path)) is not None}
    if not tables:
        raise ScoringError(f"{root} holds no table; expected files that end in {', '.join(OPENERS)}")
    sources = tuple(opener(path) for path, opener in tables.items())
    return Portfolio(root, sources, tuple(path for path in found if path not in tables))


def _is_data(path: Path, root: Path) -> bool:
    return path.is_file() and not any(name.startswith((".", "_")) for name in path.relative_to(root).parts)


def _opener(path: Path) -> Callable[[Path], Source] | None:
    return next((opener for end, opener in OPENERS.items() if path.name.lower().endswith(end)), None)
