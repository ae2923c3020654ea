"""A TCP proxy in front of a database, whose network can be unplugged: it takes bytes and forwards none."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards to a port of this machine while its `with` block runs.

    `to_server`, `to_client`: whether bytes are forwarded in this direction; while not, they wait.
    """

    def __init__(self, target: int) -> None:
        self.to_server = threading.Event()
        self.to_client = threading.Event()
        self.plug()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.plug()
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def plug(self) -> None:
        """Forward everything, also what has waited."""
        self.to_server.set()
        self.to_client.set()

    def unplug(self) -> None:
        """Forward nothing."""
        self.to_server.clear()
        self.to_client.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except ConnectionRefusedError:
                    client.close()
                    continue
                self._sockets += client, server
                self._start(self._pump, client, server, self.to_server)
                self._start(self._pump, server, client, self.to_client)

    def _pump(self, source: socket.socket, target: socket.socket, is_open: threading.Event) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                is_open.wait()
                target.sendall(content)
        # The end of a connection travels as its bytes do.
        is_open.wait()
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
