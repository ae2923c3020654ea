"""Hostile bytes against the service as a real process: each gets its 4xx, and the service goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serve.model import Model
from tests.soak.raw import AT_ONCE, PATIENT, answers, cases, request, send_mutants
from tests.soak.service import Service, running_service

MUTANTS = 300


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model, which gives a request a second to arrive."""
    path = Path(tmp_path_factory.mktemp("raw")) / "model.onnx"
    path.write_bytes(content)
    with running_service(MODEL_PATH=str(path), **PATIENT) as running:
        yield running


def test_every_hostile_request_gets_its_refusal(service: Service, model: Model) -> None:
    """A problem that names what is wrong, with one of the statuses that fit; afterwards the service is ready."""
    told = list(cases(f"/v2/models/{model.contract.name}/infer"))

    async def ask_all() -> list[list[tuple[int, bytes]]]:
        some = asyncio.Semaphore(AT_ONCE)

        async def ask(content: bytes) -> list[tuple[int, bytes]]:
            async with some:
                return await answers(service.port, content)

        return await asyncio.gather(*(ask(content) for _, content, _ in told))

    found = asyncio.run(ask_all())

    for (name, _, statuses), given in zip(told, found, strict=True):
        assert given, f"{name}: no answer"
        status, body = given[0]
        assert status in statuses, name
        problem = json.loads(body)
        assert (status, True) == (problem["status"], bool(problem["detail"] and problem["request_id"])), name
        assert {400} >= {status for status, _ in given[1:]}, name
    assert 200 == httpx.get(f"{service.base}/readyz", trust_env=False).status_code


@pytest.mark.parametrize("path", ["/score", "/predict"])
def test_valid_bodies_gone_wrong_are_refused_or_scored(
    service: Service, path: str, named: dict[str, Any], vector: list[Any]
) -> None:
    """Whatever a few wrong bytes make of a body: 200, 400 or 413, and nothing of ours fails."""
    body = {"/score": {"applicants": [named, vector], "reasons": 2}, "/predict": {"data": [vector, vector]}}[path]

    found = asyncio.run(send_mutants(service.port, path, [json.dumps(body).encode()], MUTANTS, seed=1))

    assert MUTANTS == found.total()
    assert {200, 400, 413} >= set(found)


def test_a_slow_but_complete_request_is_answered(service: Service, vector: list[Any]) -> None:
    """Byte by byte, within the time that a body may take."""
    content = request(json.dumps({"data": [vector]}).encode(), "/predict")

    found = asyncio.run(answers(service.port, content, pause=0.5 / len(content)))

    assert [200] == [status for status, _ in found]
