"""`python -m decisions`: verify, replay, export, erase and prune the decisions on record."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import closing

from decisions.commands import COMMANDS, Command
from decisions.export import ExportError
from decisions.store import StoreError, open_store, resolve_url
from decisions.terminal import CommandError, open_record
from model.dialect import TableError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a shell: 128 + SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0, 1 for a fault found by verify or replay, 2 after printing an error, 130 if interrupted."""
    options = _make_parser().parse_args(arguments)
    command: Command = options.command
    try:
        if not command.creates:
            with closing(open_record(options.url)) as store:
                return command.run(options, store)
        url = resolve_url(os.environ, options.url, "--url")
        if not url:
            print("decisions aren't recorded: DECISIONS_URL isn't set")
            return 0
        with closing(open_store(url)) as store:
            store.migrate()
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
        one.add_argument("--url", help="of the database, or the variable that has it; default: DECISIONS_URL")
        command.add_arguments(one)
        one.set_defaults(command=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
