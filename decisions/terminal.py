"""What the commands show to a person and ask: progress, numbers, confirmation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

Progress = Callable[[int], object]


class CommandError(Exception):
    """A command can't be run; the message gives the value, what was expected and the next step."""


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
