"""What commands on the record have in common: the open database, the period, progress, numbers, confirmation."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from decisions.reading import write_time
from decisions.schema import SCHEMA_VERSION, newer_schema
from decisions.store import Store, StoreError, open_store, resolve_url

Progress = Callable[[int], object]


class CommandError(Exception):
    """A command can't be run; the message gives the value, what was expected and the next step."""


def open_record(url: str | None, option: str = "--url") -> Store:
    """Open the database of this URL, or of DECISIONS_URL, which must exist and have the schema of this version.

    `option`: of the command, for the URL. Raises CommandError and StoreError.
    """
    chosen = resolve_url(os.environ, url, option)
    if not chosen:
        raise CommandError(f"DECISIONS_URL isn't set, expected the database of the service there or in {option}")
    store = open_store(chosen, create=False)
    try:
        _check_schema(store)
    except (CommandError, StoreError):
        store.close()
        raise
    return store


def check_period(start: int | None, end: int | None) -> None:
    """Raise CommandError unless a period, microseconds since 1970, ends after its start."""
    if start is not None and end is not None and start >= end:
        raise CommandError(f"the period ends at {write_time(end)}, expected an end after its start")


@contextmanager
def show_progress(what: str, total: int) -> Iterator[Progress]:
    """A progress bar where rich is installed and a person is watching; gives what advances it."""
    if not sys.stderr.isatty():
        yield lambda units: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
    except ImportError:
        yield lambda units: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as progress:
        yield partial(progress.advance, progress.add_task(what, total=total))


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask whether to go on, unless that is said already; raises CommandError unless the answer is yes."""
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask at; add --yes, and nothing will be asked")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")


def write_count(number: int, noun: str) -> str:
    """A number and its noun: 1 record, 2,000 records."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _check_schema(store: Store) -> None:
    version = store.read_version()
    if version > SCHEMA_VERSION:
        raise newer_schema(version)
    if version < SCHEMA_VERSION:
        raise CommandError(
            f"the database has schema version {version}, expected {SCHEMA_VERSION}; start the service with it, or run: "
            "python -m decisions migrate"
        )
