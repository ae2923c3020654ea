"""One stream while it is being written: what is sent on a connection, and what has to be answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from tests.differential.cases import ANY, Case, write
from tests.differential.wire import Answer, Step, Wait

REFUSED = Answer(400, "", ANY, True)
"""uvicorn's own answer to bytes that are no HTTP."""


SMALL = 16_384
"""Bytes that come in one piece."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a client does on one connection, and what has to come back.

    `answers`: in order. `asked`: the cases by id, of which the `same` are answered as if they were alone. `is_closed`:
    by the server, after them. `is_racy`: the last of them may be missing. `parser`: of the plain application's uvicorn.
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
    """A stream that is being written."""

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
        """Of the next request."""
        return f"{self.number:06d}.{len(self.asked):03d}"

    def draw(self, is_fit: Callable[[Case], bool] = lambda case: True) -> Case:
        """Any case, or any that fits."""
        return self.chance.choice([case for case in self.cases if is_fit(case)])

    def find(self, name: str) -> Case:
        """The case of this name."""
        return next(case for case in self.cases if case.name == name)

    def ask(self, *fields: str, version: str = "1.1", closes: bool = False) -> None:
        """One more request, of any case, with a length or in chunks."""
        case, chunks = self.draw(), []
        if version == "1.1" and self.chance.random() < 0.3:
            chunks = [*self.chance.choices([7, 100, 5_000, 70_000], k=3), 1_000]
        # What the service doesn't read of it might be the next request: the connection ends.
        is_left = bool(case.body) and not case.is_read and any(field.startswith("Upgrade:") for field in fields)
        known, how = self.known[case.name], "close" if is_left else ""
        self.steps.append(write(case, self.id, known, chunks=chunks, version=version, fields=fields, how=how))
        # A large body that nobody reads resets the connection, and its answer may go with it.
        self.is_racy = self.is_racy or (is_left and len(case.body) > SMALL)
        # Only in chunks is it unknown how large a body is.
        self.expect(case, 413 if chunks and case.status == 413 else None, closes=closes or is_left)

    def expect(self, case: Case, status: int | None = None, *, closes: bool = False) -> None:
        """The answer to a request with the next id; `status`: where it isn't answered as it is alone."""
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
        """uvicorn's own answer, and the end."""
        self.answers.append(REFUSED)
        self.is_closed = True

    def wait(self) -> None:
        """For all answers so far."""
        self.steps.append(Wait(answers=len(self.answers)))

    def finish(self, name: str) -> Stream:
        """The stream; a connection that is kept has one more request to answer."""
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
    """What is sent at once, cut in pieces, some of which come later."""
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
    """The steps, with what is sent one right after another sent at once."""
    joined: list[Step] = []
    for step in steps:
        if isinstance(step, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += step
        else:
            joined.append(step)
    return joined
