"""Several workers behind one socket: uvicorn's supervisor as we run it, which hands SIGHUP on to each of them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys

from uvicorn.supervisors import multiprocess

from serve.contract import ContractError
from serve.server import Server, hold_reloads, make_config
from serve.settings import Settings, SettingsError

logger = logging.getLogger("credit")


class Worker(multiprocess.Process):
    """A worker process around our server."""

    @property
    def server(self) -> Server:
        """Made in the worker, when first asked for."""
        if not isinstance(self._server, Server):
            self._server = Server(self.config)
        return self._server

    def start(self) -> None:
        """Start the process; a SIGHUP waits until it can follow it, which unasked would end it."""
        hold_reloads()
        super().start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, in the process; one that replaces another may find a model that it can't serve, and ends."""
        try:
            super().target(sockets)
        except (SettingsError, ContractError) as error:
            logger.error("can't serve: %s", error)  # noqa: TRY400
            sys.exit(1)


class Supervisor(multiprocess.Multiprocess):
    """Several workers; SIGHUP makes each of them load the model again, none is replaced."""

    def handle_hup(self) -> None:
        """Hand SIGHUP on."""
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


def supervise(settings: Settings) -> None:
    """Serve with as many workers as the settings say until stopped."""
    config = make_config(settings)
    # The supervisor makes its workers, and those that replace a dead one, from this name.
    multiprocess.Process = Worker  # type: ignore[misc]
    Supervisor(config, sockets=[config.bind_socket()]).run()
