"""Memory attack: more bodies at once than fit into the memory, with and without an API key."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import uvloop

from tests.differential.cases import KEY, predict, vector
from tests.soak.service import peak_megabytes, running_service

MAX_MEGABYTES = 512.0

GATHER_SECONDS = 1.0

CUT_OFF = 0
"""Counted instead of a status if the connection ended without an answer."""

UPGRADE = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
EXPECT = "Expect: 100-continue\r\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """This many connections, each with a body of this size; `fields`: further header lines."""

    name: str
    connections: int
    size: int
    fields: str
    statuses: frozenset[int]


WITH_KEY = f"X-API-Key: {KEY}\r\n"

ATTACKS = (
    Attack("256 KB, no key", 2_200, 2**18, "", frozenset([401])),
    Attack("256 KB, no key, an upgrade", 2_200, 2**18, UPGRADE, frozenset([401, CUT_OFF])),
    Attack("256 KB, no key, not asked to go on", 2_200, 2**18, EXPECT, frozenset([401])),
    Attack("256 KB", 2_200, 2**18, WITH_KEY, frozenset([200, 503])),
    Attack("4 MB, no key", 400, 2**22, "", frozenset([401])),
    Attack("4 MB", 400, 2**22, WITH_KEY, frozenset([200, 503])),
    Attack("4 MB, an upgrade", 400, 2**22, WITH_KEY + UPGRADE, frozenset([200, 503, CUT_OFF])),
)


@dataclass(frozen=True, slots=True)
class Result:
    """How the bodies were answered, the peak memory, and faults."""

    statuses: Counter[int]
    megabytes: float
    faults: list[str]


def run(attack: Attack) -> Result:
    """Send all bodies concurrently; afterwards the service answers as before."""
    with running_service(API_KEYS=KEY) as service:
        statuses = uvloop.run(_send_all(attack, service.port, service.process.pid))
        after = service.ask("POST", "/predict", {"data": [vector(1)]}, x_api_key=KEY).status_code
        megabytes = peak_megabytes(service.process.pid)
    faults = []
    if set(statuses) - attack.statuses or statuses.total() != attack.connections:
        faults.append(f"{attack.name}: {dict(statuses)}, expected {attack.connections} of {sorted(attack.statuses)}")
    if megabytes >= MAX_MEGABYTES:
        faults.append(f"{attack.name}: the service held {megabytes:.0f} MB, expected less than {MAX_MEGABYTES:.0f}")
    if after != 200:
        faults.append(f"{attack.name}: afterwards a request is answered {after}, expected 200")
    return Result(statuses, megabytes, faults)


async def _send_all(attack: Attack, port: int, process: int) -> Counter[int]:
    body = predict(1).ljust(attack.size)
    head = f"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n{attack.fields}\r\n"
    content, statuses, may_go = head.encode() + body, Counter[int](), asyncio.Event()
    sockets = [socket.socket() for _ in range(attack.connections)]
    try:
        asking = [asyncio.create_task(_ask(one, port, content, may_go)) for one in sockets]
        await asyncio.sleep(GATHER_SECONDS)
        # The worst case: all that the socket buffers hold is there at once.
        os.kill(process, signal.SIGSTOP)
        may_go.set()
        await asyncio.sleep(GATHER_SECONDS)
        os.kill(process, signal.SIGCONT)
        async with asyncio.timeout(120):
            statuses.update(await asyncio.gather(*asking))
    finally:
        for one in sockets:
            one.close()
    return statuses


async def _ask(connection: socket.socket, port: int, content: bytes, may_go: asyncio.Event) -> int:
    """The status of the final answer; sends the whole body and keeps the connection."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await may_go.wait()
    sending = asyncio.create_task(loop.sock_sendall(connection, content))
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            received += await loop.sock_recv(connection, 65_536)
        await sending
    except ConnectionError:
        # After a refused upgrade the connection is closed with unread data, so that the answer may be lost.
        with suppress(ConnectionError):
            await sending
    return int(received[9:12] or CUT_OFF)
