"""Families of random streams of requests, valid and invalid, with the expected answers.

Where uvicorn's own behaviour depends on timing, a comment says so and the stream `is_racy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from tests.differential.cases import MAX_BYTES, Case, write
from tests.differential.draft import SMALL, Draft, Stream
from tests.differential.wire import Act, Answer, Wait

NEVER = "never.answ"
"""The id of requests without an answer, of the same length as others."""

END_OF_HEAD = b"\r\n\r\n"

BETWEEN = 0.002
"""Seconds between two sends that keep them separate."""

CONTINUE = Answer(100, "", 0, False)

UPGRADES = (
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ),
)
"""As sent by Java's HttpClient and curl --http2, and by a browser."""

GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    b"HELO test\r\n",
    b"GET /livez HTTP/1.1\nHost: test\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"STEAL /score HTTP/1.1\r\nHost: test\r\n\r\n",
    b"POST HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: test\r\nno field\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: test\r\nX: \x01\x02\r\n\r\n",
    b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}",
    b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999999999999999999\r\n\r\n{}",
    b'{"applicants": []}\r\n\r\n',
)
"""Bytes with which no request can begin."""


def pipeline(draft: Draft) -> None:
    """Pipelined requests, answered in order."""
    for _ in range(draft.chance.randint(1, 10)):
        draft.ask()
        if draft.chance.random() < 0.2:
            draft.wait()


def upgrade(draft: Draft) -> None:
    """The first request offers an upgrade, which the service ignores."""
    draft.parser = "h11"
    draft.ask(*draft.chance.choice(UPGRADES))
    for _ in range(draft.chance.randint(0, 4)):
        if not draft.is_closed:
            draft.ask(*(draft.chance.choice(UPGRADES) if draft.chance.random() < 0.2 else ()))


def late_upgrade(draft: Draft) -> None:
    """A later request offers an upgrade: httptools stops parsing there and drops its body."""
    pipeline(draft)
    draft.wait()
    # httptools drops the rest of the data of one call.
    draft.is_cut = False
    case = draft.draw(lambda case: len(case.body) < SMALL)
    fields = draft.chance.choice(UPGRADES)
    is_lost = bool(case.body) and case.is_read
    status, how = 400 if is_lost else None, "close" if case.body else ""
    chunks = draft.chance.choice([[], [50, 1_000]])
    draft.steps.append(
        write(case, draft.id, draft.known[case.name], fields=fields, chunks=chunks, status=status, how=how)
    )
    draft.expect(case, status, closes=bool(case.body))


def continues(draft: Draft) -> None:
    """The client waits for 100 Continue before it sends the body, or doesn't wait."""
    for _ in range(draft.chance.randint(1, 3)):
        case = draft.draw(lambda case: bool(case.body))
        content = write(case, draft.id, draft.known[case.name], fields=["Expect: 100-continue"])
        head, end, body = content.partition(END_OF_HEAD)
        draft.steps.append(head + end)
        if case.is_read:
            draft.answers.append(CONTINUE)
            if draft.chance.random() < 0.7:
                draft.wait()
        draft.steps.append(body)
        draft.expect(case)


def last_request(draft: Draft) -> None:
    """After this request the server closes the connection, whatever follows."""
    pipeline(draft)
    if draft.chance.random() < 0.5:
        draft.ask("Connection: close", closes=True)
    else:
        draft.ask(version="1.0", closes=True)
    for _ in range(draft.chance.randint(0, 2)):
        case = draft.draw()
        draft.steps.append(write(case, NEVER, draft.known[case.name]))


def swallowed(draft: Draft) -> None:
    """Content-Length is too large by a request: that request is part of the body and gets no answer."""
    inner = draft.draw()
    content = write(inner, NEVER, draft.known[inner.name])
    case = draft.find("no JSON")
    # Together they may exceed MAX_BODY_BYTES.
    status = 413 if len(content) + len(case.body) > MAX_BYTES else 400
    draft.steps += [write(case, draft.id, draft.known[case.name], more=len(content), status=status), content]
    draft.expect(case, status)
    pipeline(draft)


def cut_short(draft: Draft) -> None:
    """Content-Length is too large and nothing more is sent: 408 after BODY_TIMEOUT."""
    pipeline(draft)
    case = draft.draw(lambda case: bool(case.body) and case.is_read)
    draft.steps.append(write(case, draft.id, draft.known[case.name], status=408, more=1))
    draft.expect(case, 408, closes=True)


def garbage(draft: Draft) -> None:
    """Bytes that are no request, after the answers to the requests before."""
    if draft.chance.random() < 0.7:
        pipeline(draft)
        draft.wait()
    draft.steps.append(draft.chance.choice(GARBAGE))
    draft.refuse()


def garbage_behind(draft: Draft) -> None:
    """The same at once: uvicorn refuses them when read, and closes before the answers to the requests before."""
    pipeline(draft)
    draft.steps.append(draft.chance.choice(GARBAGE))
    draft.refuse()
    draft.is_racy = True


def too_short(draft: Draft) -> None:
    """Content-Length is too small: the rest of the body is no valid request, and is refused before the body is read."""
    pipeline(draft)
    case = draft.find("score some")
    more = -draft.chance.randint(1, 3)
    draft.steps.append(write(case, draft.id, draft.known[case.name], status=400, more=more))
    draft.expect(case, 400)
    draft.refuse()
    draft.is_racy = True


def half_close(draft: Draft) -> None:
    """The client closes its sending side: uvicorn closes at once, even before answers that are due."""
    pipeline(draft)
    if draft.chance.random() < 0.3:
        draft.wait()
    else:
        draft.is_racy = True
    draft.steps.append(Act.HALF_CLOSE)
    draft.is_closed = True


def reset(draft: Draft) -> None:
    """The client resets the connection, after a request or within it: the answers read so far are right."""
    pipeline(draft)
    if draft.chance.random() < 0.5:
        case = draft.draw()
        content = write(case, NEVER, draft.known[case.name])
        draft.steps.append(content[: draft.chance.randrange(len(content))])
    draft.steps.append(Act.RESET)
    draft.is_closed = draft.is_racy = True


FAMILIES: dict[Callable[[Draft], None], int] = {
    pipeline: 40,
    upgrade: 12,
    late_upgrade: 4,
    continues: 6,
    last_request: 8,
    swallowed: 4,
    cut_short: 2,
    garbage: 7,
    garbage_behind: 7,
    too_short: 3,
    half_close: 6,
    reset: 6,
}
"""Family → its relative frequency."""


def make_streams(cases: Sequence[Case], known: Mapping[str, Answer], count: int, seed: int) -> Iterator[Stream]:
    """This many streams, determined by the seed.

    `known`: the answer to each case sent alone.
    """
    chance = Random(seed)  # noqa: S311 - to be the same each time
    for number in range(count):
        (family,) = chance.choices(list(FAMILIES), list(FAMILIES.values()))
        draft = Draft(number, cases, known, chance)
        family(draft)
        yield draft.finish(f"{family.__name__} {seed}.{number}")


def make_splits(cases: Sequence[Case], known: Mapping[str, Answer], every: int = 1) -> Iterator[Stream]:
    """Short pipelines, with Content-Length, chunked, and with an upgrade, split in two at every position or some."""
    ways: list[tuple[str, tuple[str, ...], list[int]]] = [
        ("length", (), []),
        ("chunks", (), [30, 7]),
        ("upgrade", UPGRADES[0], []),
        ("upgrade, chunks", UPGRADES[0], [30, 7]),
    ]
    number = 0
    for name, fields, chunks in ways:
        size, place = 2, 1
        while place < size:
            draft = Draft(number, cases, known, Random(number), is_cut=False)  # noqa: S311
            draft.parser = "h11" if fields else "httptools"
            content = b""
            for case in (draft.find("predict 0"), draft.find("live, head alone"), draft.find("no JSON")):
                answer = known[case.name]
                content += write(case, draft.id, answer, fields=() if content else fields, chunks=chunks)
                draft.expect(case)
            size = len(content)
            draft.steps += [content[:place], Wait(BETWEEN), content[place:]]
            yield draft.finish(f"{name}, cut at {place}")
            number, place = number + 1, place + every
