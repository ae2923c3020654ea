"""A PostgreSQL server of the machine's own programs on loopback, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from deploy.dyno import free_port

USER = "postgres"
"""Superuser of the databases; also the user of Debian's package, who runs the server where the tests run as root."""

START_SECONDS = 30.0

EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC
"""
"""Makes a database as empty as a new one, whoever is connected to it."""


class PostgresServer:
    """A server with a folder of its own, started at the beginning of a `with` block and removed at its end.

    `is_synced`: whether commits are synced to disk. Only a crash of the machine, not of the server, loses others.
    """

    def __init__(self, *, is_synced: bool = True) -> None:
        self._is_synced = is_synced
        self.port = free_port()
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._emptied: list[str] = []

    def __enter__(self) -> Self:
        try:
            if os.getuid() == 0:
                shutil.chown(self._folder, USER, USER)
            options = ("--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
            command = [str(self._programs / "initdb"), "--pgdata", str(self._folder / "data"), *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **_as_user())
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    @property
    def log(self) -> Path:
        """What the server has said."""
        return self._folder / "log"

    def url(self, database: str = USER) -> str:
        """The DECISIONS_URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        if self._emptied:
            return self.url(self._emptied.pop())
        name = self._new_name()
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove all in a database, and keep it under another name: to create one takes six times as long."""
        name, new = url.rpartition("/")[2], self._new_name()
        with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as connection:
            connection.execute(EMPTY.encode())
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} RESET ALL".encode())
            connection.execute(f"ALTER DATABASE {name} RENAME TO {new}".encode())
        self._emptied.append(new)

    def _new_name(self) -> str:
        self._databases += 1
        return f"test_{self._databases}"

    def start(self) -> None:
        """Start the server and wait until it answers; after a crash also until it has recovered."""
        with self.log.open("ab") as log:
            settings: tuple[str, ...] = (
                f"port={self.port}",
                "listen_addresses=127.0.0.1",
                f"unix_socket_directories={self._folder}",
            )
            if not self._is_synced:
                settings += ("fsync=off",)
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *(f"--{setting}" for setting in settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_as_user(),
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL doesn't start: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut the server down; connections are closed."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server and its processes at once, as a crash of the machine would."""
        children = self._children()
        self._end(signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let the server hang: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a `pause`."""
        self._signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _children(self) -> list[int]:
        if self._process is None:
            return []
        with suppress(OSError):
            path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            return [int(child) for child in path.read_text().split()]
        return []

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            for process in (self._process.pid, *self._children()):
                with suppress(ProcessLookupError):
                    os.kill(process, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(number)
            process.wait(START_SECONDS)

    def _remove(self) -> None:
        self.resume()
        # Unlike SIGKILL it leaves no shared memory behind.
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder of initdb and postgres: in PATH, or the newest of Debian's; raises FileNotFoundError."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        raise FileNotFoundError("no initdb in PATH, none in /usr/lib/postgresql/*/bin")
    return max(folders, key=lambda folder: float(folder.parent.name))


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": USER, "group": USER, "extra_groups": [], "cwd": "/"} if os.getuid() == 0 else {}
