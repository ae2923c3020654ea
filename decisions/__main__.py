"""`python -m decisions`: verify, replay, export, erase and prune the decisions on record."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import closing

from decisions.commands import COMMANDS, Command
from decisions.export import ExportError
from decisions.schema import SCHEMA_VERSION, newer_schema
from decisions.store import Store, StoreError, open_store, resolve_url
from decisions.terminal import CommandError
from model.dialect import TableError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell: 128 + SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0, 1 for a fault found by verify or replay, 2 after printing an error, 130 if interrupted."""
    options = _make_parser().parse_args(arguments)
    command: Command = options.command
    try:
        url = options.url or resolve_url(os.environ)
        if not url and command.creates:
            print("decisions aren't recorded: DECISIONS_URL isn't set")
            return 0
        with closing(_open(url, command)) as store:
            _prepare_schema(store, command)
            return command.run(options, store)
    except (CommandError, ExportError, StoreError, TableError, OSError) as error:
        print(f"can't {command.name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _make_parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m decisions", description="Decisions on record: see docs/decisions.md.")
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        one = parsers.add_parser(command.name, help=command.help, description=command.help)
        one.add_argument("--url", help="of the database; default: DECISIONS_URL")
        command.add_arguments(one)
        one.set_defaults(command=command)
    return parser


def _open(url: str, command: Command) -> Store:
    if not url:
        raise CommandError("DECISIONS_URL isn't set, expected the database of the service there or in --url")
    return open_store(url, create=command.creates)


def _prepare_schema(store: Store, command: Command) -> None:
    """Raise CommandError or StoreError unless the schema is the one that this version of the code needs."""
    if command.creates:
        store.migrate()
        return
    version = store.read_version()
    if version > SCHEMA_VERSION:
        raise newer_schema(version)
    if version < SCHEMA_VERSION:
        raise CommandError(
            f"the database has schema version {version}, expected {SCHEMA_VERSION}; start the service with it, or run: "
            "python -m decisions migrate"
        )


if __name__ == "__main__":
    sys.exit(main())
