"""uvicorn as we run it: stops without losing an answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from serve import uvicorn_parts
from serve.connection import Connection
from serve.logs import configure_logs
from serve.settings import Settings
from serve.uvicorn_parts import STARTUP_FAILURE, Config

KEEP_ALIVE_SECONDS = 95
"""Above the 90 s that Heroku's router keeps a connection, so that it is never us who cuts first."""

STOP_SECONDS = 20
"""In-flight requests have this long after SIGTERM; Heroku kills after 30 s."""

DRAIN_SECONDS = 3.0
"""After SIGTERM so long every answer says `Connection: close`, before connections are closed that said nothing."""

DRAIN_STEP = 0.02

TICKS = 10
"""uvicorn's ticks in a second."""


def make_config(settings: Settings) -> Config:
    """uvicorn's settings for ours."""
    return Config(
        "serve.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=configure_logs(settings.log_level),
        log_level=settings.log_level,
        access_log=False,
        http=Connection,
        ws="none",
        interface="asgi3",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        proxy_headers=False,
    )


class Server(uvicorn_parts.Server):
    """A server that drains before it stops.

    uvicorn closes idle connections at once on SIGTERM, and a request that is on its way on one of them is lost. Here
    each connection is told with its next answer that it was the last; those that ask nothing are closed at the end.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and keep the listening sockets at hand."""
        await super().startup(sockets)
        open_sockets = [listening.fileno() for server in self.servers for listening in server.sockets]
        self._listening = [socket.socket(fileno=os.dup(number)) for number in open_sockets]
        self._taken_in: set[asyncio.Task[Any]] = set()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; once a second the requests that take too long to arrive are given up."""
        self._take_in()
        if counter % TICKS == 0:
            since = asyncio.get_running_loop().time() - self.config.loaded_app.settings.body_seconds
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.give_up(since)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does."""
        gate = self.config.loaded_app
        gate.is_draining = True
        self._take_in()
        for server in self.servers:
            server.close()
        for listening in self._listening:
            listening.close()
        ends = time.monotonic() + DRAIN_SECONDS
        while self.server_state.connections and time.monotonic() < ends and not self.force_exit:
            await asyncio.sleep(DRAIN_STEP)
        await super().shutdown(sockets)

    def _take_in(self) -> None:
        """Accept whoever waits to be connected.

        libuv accepts one a turn of the loop: where turns are long because many ask, newcomers would wait for seconds.
        """
        loop = asyncio.get_running_loop()
        for listening in self._listening:
            with suppress(OSError):  # nobody is left, or there is no room for more
                while True:
                    newcomer, _ = listening.accept()
                    newcomer.setblocking(False)
                    newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    task = loop.create_task(loop.connect_accepted_socket(self._connect, newcomer))
                    self._taken_in.add(task)
                    task.add_done_callback(self._taken_in.discard)

    def _connect(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)


def hold_reloads() -> None:
    """Let every SIGHUP wait until somebody unblocks it: serve/app.py does, once a model is in service."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def serve(settings: Settings) -> None:
    """Serve with one worker, this process, until stopped; exits with 3 if it could not start, as uvicorn does."""
    server = Server(make_config(settings))
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
