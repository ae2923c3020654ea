"""Sends the same streams to the service and to the plain application, and reports wrong answers."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice

from deploy.dyno import Dyno, free_port
from model.loading import load_model
from tests.differential.cases import ANY, KEY, MAX_BYTES, NO_ID, Case, make_cases, write
from tests.differential.draft import REFUSED, Stream
from tests.differential.wire import Answer, Talk, WireError, talk
from tests.serve.running import ROOT, Service
from tests.soak.service import ARTIFACT, rename_model, running_service

SETTINGS = {
    "API_KEYS": KEY,
    "MAX_BODY_BYTES": str(MAX_BYTES),
    "MAX_ALL_BODY_BYTES": str(1024 * MAX_BYTES),
    "QUEUE_BODIES": "10000",
    "BODY_TIMEOUT": "5",
    "RELOAD_SECONDS": "1",
}
"""Settings of the service: limits high enough that no request gets 503."""

AT_ONCE = 40
"""Concurrent connections to each server."""

TOGETHER = 500
"""Maximum number of streams in memory."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The service, and the ports of the plain application by parser; `known`: the answer to each case sent alone."""

    service: Service
    plain: Mapping[str, int]
    cases: Sequence[Case]
    known: Mapping[str, Answer]


@dataclass(slots=True)
class Verdict:
    """Number of streams, answers and reloads, and a text for each fault."""

    streams: int
    answers: int
    reloads: int
    faults: list[str]


@contextmanager
def running_servers(workers: int = 1) -> Iterator[Servers]:
    """Runs the service and the plain application with each parser, and learns the answers to all cases."""
    with ExitStack() as started:
        service = started.enter_context(running_service(**SETTINGS, WEB_CONCURRENCY=str(workers)))
        plain = {parser: started.enter_context(running_plain(parser)) for parser in ("httptools", "h11")}
        cases = make_cases(service.ask("GET", "/model", x_api_key=KEY).json()["name"])
        yield Servers(service, plain, cases, asyncio.run(learn(service.port, cases)))


@contextmanager
def running_plain(parser: str) -> Iterator[int]:
    """Runs the plain application on stock uvicorn with this parser; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.differential.plain:app", "--port", str(port), "--http", parser]
    more = ["--ws", "none", "--lifespan", "off", "--log-level", "critical", "--timeout-keep-alive", "95"]
    with subprocess.Popen([*command, *more], cwd=ROOT) as process:
        try:
            Dyno(process, port, time.monotonic()).wait_until_bound()
            yield port
        finally:
            process.kill()


async def learn(port: int, cases: Iterable[Case]) -> dict[str, Answer]:
    """The answer to each case sent alone; raises WireError if it isn't the expected one."""
    known: dict[str, Answer] = {}
    for case in cases:
        content = write(case, NO_ID, Answer(case.status, NO_ID, 0, False))
        (answer,) = (await talk(port, [content], {NO_ID: case.method}, 1)).answers
        if (answer.status, answer.request_id, answer.closes) != (case.status, NO_ID, False):
            raise WireError(f"{case.name}, sent alone, is answered {answer}")
        known[case.name] = answer
    return known


async def compare(servers: Servers, streams: Iterator[Stream]) -> Verdict:
    """Send every stream to both, while the service reloads models."""
    verdict = Verdict(0, 0, 0, [])
    reloading = asyncio.create_task(_keep_reloading(servers.service, verdict))
    names = _names_of_models()
    while some := list(islice(streams, TOGETHER)):
        alike = {parser: [stream for stream in some if stream.parser == parser] for parser in servers.plain}
        ours, *plain = await asyncio.gather(
            _run(servers.service.port, some), *(_run(servers.plain[parser], alike[parser]) for parser in servers.plain)
        )
        for stream, found in zip(some, ours, strict=True):
            verdict.faults += [f"service: {fault}" for fault in find_faults(stream, found)]
            verdict.faults += [f"service: {fault}" for fault in _find_wrong_bodies(stream, found, servers.known, names)]
            verdict.answers += len(found.answers) if isinstance(found, Talk) else 0
        for parser, talks in zip(servers.plain, plain, strict=True):
            for stream, found in zip(alike[parser], talks, strict=True):
                verdict.faults += [f"plain, {parser}: {fault}" for fault in find_faults(stream, found)]
        verdict.streams += len(some)
    if reloading.done():
        verdict.faults.append(f"service: the last reload ended in {reloading.exception()!r}")
    reloading.cancel()
    await asyncio.wait([reloading])
    return verdict


def find_faults(stream: Stream, found: Talk | WireError) -> list[str]:
    """The differences from the expected answers, except for bodies."""
    if isinstance(found, WireError):
        return [f"{stream.name}: {found}"]
    expected = list(stream.answers)
    if stream.is_racy:
        # Only the last answers may be missing; uvicorn's own refusal only if the connection was closed without it.
        is_refused = bool(found.answers) and not found.answers[-1].request_id
        own = [answer for answer in expected if answer != REFUSED]
        expected = own[: len(found.answers) - is_refused] + [REFUSED] * (is_refused and REFUSED in stream.answers)
    fits = len(found.answers) == len(expected) and all(map(_fits, found.answers, expected))
    if fits and found.is_closed == stream.is_closed:
        return []
    given, wanted = _describe(found.answers), _describe(expected)
    return [f"{stream.name}: {given}, closed: {found.is_closed}; expected {wanted}, closed: {stream.is_closed}"]


def _find_wrong_bodies(
    stream: Stream, found: Talk | WireError, known: Mapping[str, Answer], names: Mapping[bytes, bytes]
) -> Iterator[str]:
    """The answers that differ from those to the same request sent alone."""
    for answer in found.answers if isinstance(found, Talk) else ():
        if answer.request_id in stream.same:
            case = stream.asked[answer.request_id]
            expected = _decode(known[case.name]).replace(NO_ID.encode(), answer.request_id.encode())
            given = _decode(answer)
            for other, name in names.items():
                given = given.replace(other, name)
            if given != expected:
                yield f"{stream.name}: {case.name} is answered {given[:300]!r}, expected {expected[:300]!r}"


async def _run(port: int, streams: Sequence[Stream]) -> list[Talk | WireError]:
    some = asyncio.Semaphore(AT_ONCE)

    async def one(stream: Stream) -> Talk | WireError:
        methods = {id: case.method for id, case in stream.asked.items()}
        async with some:
            try:
                return await talk(port, stream.steps, methods, len(stream.answers))
            except WireError as error:
                return error

    return await asyncio.gather(*(one(stream) for stream in streams))


async def _keep_reloading(service: Service, verdict: Verdict) -> None:
    """Replace the model file again and again by one with another version, and back."""
    contents = [ARTIFACT.read_bytes(), rename_model(ARTIFACT.read_bytes())]
    while True:
        before = await asyncio.to_thread(service.version)
        contents.reverse()
        service.replace_model(contents[0])
        while await asyncio.to_thread(service.version) == before:
            await asyncio.sleep(0.1)
        verdict.reloads += 1


def _names_of_models() -> dict[bytes, bytes]:
    own, other = (load_model(content) for content in (ARTIFACT.read_bytes(), rename_model(ARTIFACT.read_bytes())))
    names = {other.contract.version: own.contract.version, other.sha256: own.sha256}
    return {name.encode(): instead.encode() for name, instead in names.items()}


def _fits(found: Answer, expected: Answer) -> bool:
    if (found.status, found.request_id, found.closes) != (expected.status, expected.request_id, expected.closes):
        return False
    return expected.length in (ANY, found.length)


def _describe(answers: Iterable[Answer]) -> list[tuple[int, str, int | None, bool]]:
    return [(answer.status, answer.request_id, answer.length, answer.closes) for answer in answers]


def _decode(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if answer.encoding == "gzip" else answer.body
