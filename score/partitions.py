"""Folders that hold a column in their name, as Hive and Spark write them: `Home=rent/part-0.parquet`."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

MISSING = "__HIVE_DEFAULT_PARTITION__"

Partition = dict[str, str | None]
"""Column → its text in all rows of a file; None where it is missing."""


def read_partition(path: str, columns: Collection[str]) -> Partition:
    """Those of the columns that are in the names of folders; the path is relative to the portfolio."""
    pairs = (folder.split("=", 1) for folder in path.split("/")[:-1] if "=" in folder)
    partition = {unquote(name).strip(): None if value == MISSING else unquote(value) for name, value in pairs}
    return {name: value for name, value in partition.items() if name in columns}
