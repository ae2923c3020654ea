"""The service and a plain application on stock uvicorn give the same statuses and framing for any stream of bytes.

Each answer belongs to its request, and equals the answer to the request sent alone. `make soak` sends thousands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.differential.cases import KEY, name_applicant, vector
from tests.differential.compare import Servers, compare, find_faults, running_servers
from tests.differential.draft import Draft
from tests.differential.streams import FAMILIES, make_splits, make_streams, pipeline, reset
from tests.differential.wire import Answer, Talk, WireError, talk

STREAMS, SEED = 150, 1

EVERY = 3
"""Every third position of a stream is tried as the place of the split."""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """The service and the plain application."""
    with running_servers() as running:
        yield running


def test_streams_are_answered_as_by_a_plain_application(servers: Servers) -> None:
    """Pipelined, split, chunked, of wrong length, with upgrades, half-closed, reset; while models are reloaded."""
    verdict = asyncio.run(compare(servers, make_streams(servers.cases, servers.known, STREAMS, SEED)))
    after = servers.service.ask("POST", "/predict", {"data": [vector(1)]}, x_api_key=KEY)

    assert verdict.faults == []
    assert verdict.streams == STREAMS
    assert verdict.reloads > 0
    assert after.status_code == 200


def test_a_stream_may_be_split_anywhere(servers: Servers) -> None:
    """Requests with Content-Length, chunked, and with an upgrade first."""
    verdict = asyncio.run(compare(servers, make_splits(servers.cases, servers.known, EVERY)))

    assert verdict.faults == []
    assert verdict.streams > 700


def test_every_family_of_streams_is_drawn(servers: Servers) -> None:
    """Even in the few streams of this test."""
    names = {stream.name.split()[0] for stream in make_streams(servers.cases, servers.known, STREAMS, SEED)}

    assert names == {family.__name__ for family in FAMILIES}


def test_the_answer_to_another_body_would_be_noticed(servers: Servers) -> None:
    """No two scored bodies have the same answer."""
    answers = [servers.known[case.name].body for case in servers.cases if case.path in ("/score", "/predict")]
    scored = [body for body in answers if body and b"urn:problem" not in body]

    assert len(scored) > 30
    assert len(set(scored)) == len(scored)


def test_an_applicant_has_the_same_values_by_name_and_as_a_vector() -> None:
    """Numbers are unchanged, and categories become the index of their level."""
    named = name_applicant(3)

    assert vector(3)[0] == named["Seniority"]
    assert len(vector(3)) == len(named)


@pytest.mark.parametrize("what", ["swapped", "missing", "twice", "another status", "another length", "closed", "kept"])
def test_find_faults_reports_each_kind_of_fault(servers: Servers, what: str) -> None:
    """For a stream without races."""
    draft = Draft(0, servers.cases, servers.known, Random(1))  # noqa: S311
    while len(draft.answers) < 3:
        pipeline(draft)
    stream = draft.finish("stream")
    right = Talk(stream.answers, stream.is_closed)
    first, second, *others = stream.answers
    wrong = {
        "swapped": (second, first, *others),
        "missing": (first, *others),
        "twice": (first, first, second, *others),
        "another status": (replace(first, status=204), second, *others),
        "another length": (first, second, *others[:-1], replace(others[-1], length=0)),
        "closed": stream.answers,
        "kept": (replace(first, closes=True), second, *others),
    }[what]

    assert find_faults(stream, right) == []
    assert len(find_faults(stream, Talk(wrong, what == "closed"))) == 1


def test_find_faults_allows_missing_answers_of_a_racy_stream(servers: Servers) -> None:
    """But no wrong ones."""
    draft = Draft(0, servers.cases, servers.known, Random(1))  # noqa: S311
    while len(draft.answers) < 3:
        reset(draft)
    stream = draft.finish("stream")

    found = [len(find_faults(stream, Talk(stream.answers[:count], True))) for count in range(len(stream.answers) + 1)]

    assert set(found) == {0}
    assert find_faults(stream, Talk(stream.answers[1:], True))


def ask_server_of(content: bytes, methods: dict[str, str], most: int) -> Talk:
    """What talk reads from a server that sends these bytes."""

    async def ask() -> Talk:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(content)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            return await talk(server.sockets[0].getsockname()[1], [b"GET / HTTP/1.1\r\n\r\n"], methods, most)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "ends within an answer"),
        (b"HTTP/2 200 OK\r\ncontent-length: 2\r\n\r\n{}", "no status line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "neither a length nor chunks, or both"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "neither a length nor chunks, or both",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}", "neither a length nor chunks"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}", "no field, or one twice"),
        (b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}", "no field, or one twice"),
        (b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}", "ends within an answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}", "ends within an answer"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n", "a chunk ends with"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}HTTP/1.1 200 OK\r\n",
            "after the last answer comes b'HTTP/1.1 200 OK",
        ),
    ],
)
def test_talk_rejects_invalid_http(content: bytes, message: str) -> None:
    """Including what a lenient client would accept."""
    with pytest.raises(WireError, match=message):
        ask_server_of(content, {}, 1)


def test_talk_reads_all_kinds_of_answers() -> None:
    """With Content-Length, chunked, and to HEAD."""
    content = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nX-Request-ID: one\r\ncontent-length: 2\r\n\r\n{}"
        b"HTTP/1.1 200 OK\r\nX-Request-ID: two\r\ncontent-length: 2\r\n\r\n"
        b"HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n2\r\n[]\r\n0\r\n\r\n"
    )

    assert ask_server_of(content, {"two": "HEAD"}, 4) == Talk(
        (
            Answer(100, "", 0, False),
            Answer(200, "one", 2, False, body=b"{}"),
            Answer(200, "two", 2, False),
            Answer(400, "", None, True, body=b"[]"),
        ),
        True,
    )
