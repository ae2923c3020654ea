"""A database with decisions of the small model of tests/conftest.py, for tests of what reads and changes them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import psycopg

from benchmarks.decisions_store import fill
from decisions.__main__ import main
from decisions.record import Record
from decisions.store import SQLITE_PREFIX, Store, open_store
from decisions.verify import verify
from tests.decisions.samples import NOW, read_records

COUNT = 40
"""Applicants: "applicant 0" and so on, one decision each, all made at NOW."""


def fill_url(url: str, content: bytes, count: int = COUNT) -> list[Record]:
    """Record decisions in an empty database; returns them in order."""
    with closing(open_store(url)) as store:
        fill(store, content, count, start=NOW)
        return read_records(store)


def read_url(url: str) -> list[Record]:
    """All records of a database."""
    with closing(open_store(url, create=False)) as store:
        return read_records(store)


def find_faults(store: Store) -> list[str]:
    """What verify finds."""
    return verify(store, None, lambda units: None).faults


def run(url: str, *arguments: object) -> int:
    """The exit code of `python -m decisions` with a database."""
    name, *others = arguments
    return main([str(name), "--url", url, *map(str, others)])


def tamper(url: str, sql: str, **parameters: object) -> None:
    """Change the database as somebody could who has its file or its password; parameters stand as `:name`."""
    if url.startswith(SQLITE_PREFIX):
        with closing(sqlite3.connect(url.removeprefix(SQLITE_PREFIX), isolation_level=None)) as connection:
            connection.execute(sql, parameters)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(re.sub(r":([a-z]+)", r"%(\1)s", sql).encode(), parameters)
