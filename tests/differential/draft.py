"""Draft: writes one stream, the bytes sent on a connection, together with the expected answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from tests.differential.cases import ANY, Case, write
from tests.differential.wire import Answer, Step, Wait

REFUSED = Answer(400, "", ANY, True)
"""uvicorn's own answer to invalid HTTP."""


SMALL = 16_384
"""Sent at once, without a split."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a client does on one connection, and the expected result.

    `answers`: in order. `asked`: the cases by id; the answers to those in `same` equal the ones sent alone.
    `is_closed`: the server closes the connection after them. `is_racy`: the last answers may be missing. `parser`: that
    of the plain application.
    """

    name: str
    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    asked: Mapping[str, Case]
    same: Collection[str]
    is_closed: bool
    is_racy: bool
    parser: str


@dataclass(slots=True)
class Draft:
    """A stream under construction."""

    number: int
    cases: Sequence[Case]
    known: Mapping[str, Answer]
    chance: Random
    steps: list[Step] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    asked: dict[str, Case] = field(default_factory=dict)
    same: set[str] = field(default_factory=set)
    is_closed: bool = False
    is_racy: bool = False
    is_cut: bool = True
    parser: str = "httptools"

    @property
    def id(self) -> str:
        """The id of the next request."""
        return f"{self.number:06d}.{len(self.asked):03d}"

    def draw(self, is_fit: Callable[[Case], bool] = lambda case: True) -> Case:
        """A random case among those that fit."""
        return self.chance.choice([case for case in self.cases if is_fit(case)])

    def find(self, name: str) -> Case:
        """The case with this name."""
        return next(case for case in self.cases if case.name == name)

    def ask(self, *fields: str, version: str = "1.1", closes: bool = False) -> None:
        """Add a request of any case, with Content-Length or chunked."""
        case, chunks = self.draw(), []
        if version == "1.1" and self.chance.random() < 0.3:
            chunks = [*self.chance.choices([7, 100, 5_000, 70_000], k=3), 1_000]
        # The service closes a connection with an unread body, which might be taken for the next request.
        is_left = bool(case.body) and not case.is_read and any(field.startswith("Upgrade:") for field in fields)
        known, how = self.known[case.name], "close" if is_left else ""
        self.steps.append(write(case, self.id, known, chunks=chunks, version=version, fields=fields, how=how))
        # Closing with a large unread body resets the connection, and the answer may be lost.
        self.is_racy = self.is_racy or (is_left and len(case.body) > SMALL)
        # Only the size of a chunked body is unknown in advance.
        self.expect(case, 413 if chunks and case.status == 413 else None, closes=closes or is_left)

    def expect(self, case: Case, status: int | None = None, *, closes: bool = False) -> None:
        """Add the expected answer to the next request; `status` if it differs from that sent alone."""
        known = self.known[case.name]
        is_same = status is None and case.is_same
        length = known.length if is_same and not known.encoding else ANY
        id = self.id
        self.answers.append(Answer(status or known.status, id, length, closes))
        self.asked[id] = case
        if is_same:
            self.same.add(id)
        self.is_closed = self.is_closed or closes

    def refuse(self) -> None:
        """Add uvicorn's own refusal and the end of the connection."""
        self.answers.append(REFUSED)
        self.is_closed = True

    def wait(self) -> None:
        """Wait for all answers so far."""
        self.steps.append(Wait(answers=len(self.answers)))

    def finish(self, name: str) -> Stream:
        """The finished stream; a connection that is kept gets one more request."""
        if not self.is_closed:
            self.wait()
            case = self.find("live")
            self.steps.append(write(case, self.id, self.known[case.name]))
            self.expect(case)
        steps = cut(self.steps, self.chance) if self.is_cut else self.steps
        return Stream(
            name, tuple(steps), tuple(self.answers), self.asked, self.same, self.is_closed, self.is_racy, self.parser
        )


def cut(steps: Sequence[Step], chance: Random) -> list[Step]:
    """The bytes of one send, divided into parts, some of which are sent after a pause."""
    cut: list[Step] = []
    for step in join(steps):
        if not isinstance(step, bytes):
            cut.append(step)
            continue
        pieces = chance.choice([0, 0, 1, 1, 2, 5, 20])
        places = sorted(chance.randrange(len(step) + 1) for _ in range(pieces)) if step else []
        for start, stop in pairwise([0, *places, len(step)]):
            cut += [step[start:stop], Wait(chance.choice([0.0, 0.0, 0.0005, 0.002]))]
    return cut


def join(steps: Sequence[Step]) -> list[Step]:
    """The steps, with consecutive sends joined into one."""
    joined: list[Step] = []
    for step in steps:
        if isinstance(step, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += step
        else:
            joined.append(step)
    return joined
