"""Hostile requests as raw bytes against a real process: each gets its 4xx, and the service stays ready."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from model.session import Model
from tests.serve.running import SERVE, WAIT_SECONDS, Service, running
from tests.soak.raw import (
    ENDLESS,
    FUZZ_SETTINGS,
    MAX_CONCURRENT,
    NO_HTTP,
    REFUSAL,
    answers,
    cases,
    request,
    send_mutants,
)

MUTANTS = 300


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with BODY_TIMEOUT=1."""
    with running(tmp_path_factory.mktemp("raw"), content, SERVE, **FUZZ_SETTINGS) as running_one:
        yield running_one


def test_every_hostile_request_gets_its_refusal(service: Service, model: Model) -> None:
    """A problem with one of the expected statuses."""
    told = list(cases(f"/v2/models/{model.contract.name}/infer"))

    async def ask_all() -> list[list[tuple[int, bytes]]]:
        some = asyncio.Semaphore(MAX_CONCURRENT)

        async def ask(content: bytes) -> list[tuple[int, bytes]]:
            async with some:
                return await answers(service.port, content)

        return await asyncio.gather(*(ask(content) for _, content, _ in told))

    found = asyncio.run(ask_all())

    for (name, _, statuses), given in zip(told, found, strict=True):
        assert given, f"{name}: no answer"
        status, body = given[0]
        assert status in statuses, name
        if name in NO_HTTP:
            assert body == REFUSAL, name
        else:
            problem = json.loads(body)
            assert (problem["status"], bool(problem["detail"] and problem["request_id"])) == (status, True), name
        assert {status for status, _ in given[1:]} <= {400}, name
    assert service.ask("GET", "/readyz").status_code == 200


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_head_blocks_no_other_request(service: Service, name: str, vector: list[Any]) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=WAIT_SECONDS) as endless:
        endless.sendall(ENDLESS[name])

        answered = [service.ask("POST", "/predict", {"data": [vector]}).status_code for _ in range(20)]

        assert answered == [200] * 20
        endless.shutdown(socket.SHUT_WR)
        assert endless.recv(1) == b""


@pytest.mark.parametrize("path", ["/score", "/predict"])
def test_mutated_bodies_are_refused_or_scored(
    service: Service, path: str, named: dict[str, Any], vector: list[Any]
) -> None:
    """200, 400 or 413, and no exception in the log."""
    body = {"/score": {"applicants": [named, vector], "reasons": 2}, "/predict": {"data": [vector, vector]}}[path]

    found = asyncio.run(send_mutants(service.port, path, [json.dumps(body).encode()], MUTANTS, seed=1))

    assert found.total() == MUTANTS
    assert set(found) <= {200, 400, 413}


def test_a_slow_but_complete_request_is_answered(service: Service, vector: list[Any]) -> None:
    """Byte by byte, within BODY_TIMEOUT."""
    content = request(json.dumps({"data": [vector]}).encode(), "/predict")

    found = asyncio.run(answers(service.port, content, pause=0.5 / len(content)))

    assert [status for status, _ in found] == [200]
