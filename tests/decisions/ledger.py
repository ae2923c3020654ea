"""A load whose client keeps every answer, and the comparison of what it kept with what is on record."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import numpy as np

from decisions.record import DecisionPayload
from decisions.store import open_store
from decisions.verify import verify
from model.session import Matrix, Model
from train.export.golden import draw_applicants

ROWS, SEED = 500, 3
"""Different applicants; the k-th one posted has the inputs of row k modulo ROWS."""

BODY_ROWS = (1, 1, 1, 50)
"""Applicants of each request of a connection, in turn."""

ANSWER_SECONDS = 20.0

_find_length = re.compile(rb"\r\ncontent-length: (\d+)\r\n").search

_decode_payload = msgspec.json.Decoder(DecisionPayload).decode


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client was told of one applicant."""

    applicant: str
    probability: float
    decision: str
    points: int


@dataclass(slots=True)
class Ledger:
    """What clients have posted and were answered.

    `posted`: id of the applicant → number of its row. `answered`: id of the decision → answer. `repeated`: ids of
    decisions that were given twice. `lost`: requests whose connection ended before the answer.
    """

    model: Model
    posted: dict[str, int] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    hung: int = 0
    rows: Matrix = field(init=False)
    _numbers: count[int] = field(init=False, default_factory=count)
    _named: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        fields = self.model.contract.fields
        self.rows = draw_applicants(list(fields), ROWS, SEED)
        self._named = [
            {
                one.name: None if np.isnan(value) else one.levels[int(value)] if one.kind == "category" else value
                for one, value in zip(fields, row, strict=True)
            }
            for row in self.rows.tolist()
        ]

    async def run(self, port: int, connections: int, over: asyncio.Event) -> None:
        """Post different applicants on many connections until stopped; a connection that ends is opened again."""
        await asyncio.gather(*(self._post_on(port, over) for _ in range(connections)))

    async def _post_on(self, port: int, over: asyncio.Event) -> None:
        turn = 0
        while not over.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            try:
                while not over.is_set():
                    turn += 1
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._post(reader, writer, BODY_ROWS[turn % len(BODY_ROWS)])
            except TimeoutError:
                self.hung += 1
            except (asyncio.IncompleteReadError, ConnectionError):
                self.lost += 1
            writer.close()

    async def _post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rows: int) -> None:
        body = self.make_body(rows)
        writer.write(b"POST /score HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _find_length(head)
        content = await reader.readexactly(int(length[1])) if length else b""
        status = int(head[9:12])
        self.statuses[status] += 1
        if status == 200:
            self.note(content)
        else:
            # A client that asks again at once would only take the core from what it waits for.
            await asyncio.sleep(0.01)

    def make_body(self, rows: int) -> bytes:
        """A POST /score of applicants that were never posted before."""
        applicants = []
        for _ in range(rows):
            number = next(self._numbers)
            self.posted[f"A-{number}"] = number % ROWS
            applicants.append({"id": f"A-{number}", **self._named[number % ROWS]})
        return json.dumps({"applicants": applicants, "reasons": 0}).encode()

    def note(self, content: bytes) -> None:
        """Keep an answer of 200."""
        for result in json.loads(content)["results"]:
            decision_id = result["decision_id"]
            if decision_id in self.answered:
                self.repeated.append(decision_id)
            self.answered[decision_id] = Answered(
                result["id"], result["probability"], result["decision"], result["points"]
            )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The number of answers and of records, and what is wrong with them."""

    answers: int
    records: int
    faults: list[str]


def compare(url: str, ledger: Ledger) -> Comparison:
    """Compare what clients were answered with what is on record.

    Every answer must be on record once and equal; every record must be what the model says of an applicant that was
    posted; the chains must be whole, and the view readable.
    """
    store = open_store(url, create=False)
    sql = "SELECT id, applicant, probability, decision, points, payload FROM records WHERE kind = 'decision'"
    found = {row[0]: row[1:] for row in store.query(sql)}
    ((viewed,),) = store.query("SELECT count(inputs) FROM decisions")
    faults = list(verify(store, None, lambda _: None).faults)
    store.close()

    if viewed != len(found):
        faults.append(f"the view `decisions` shows inputs of {viewed:,} decisions, expected {len(found):,}")
    if ledger.repeated:
        faults.append(f"{len(ledger.repeated):,} ids were answered twice")
    for decision_id, answer in ledger.answered.items():
        told = (answer.applicant, answer.probability, answer.decision, answer.points)
        if decision_id not in found:
            faults.append(f"{decision_id} was answered with {told}, and is not on record")
        elif found[decision_id][:4] != told:
            faults.append(f"{decision_id} was answered with {told}, on record is {found[decision_id][:4]}")
    faults += _find_foreign(found, ledger)
    twice = Counter(row[0] for row in found.values())
    faults += [
        f"applicant {name} was posted once and is {times} times on record" for name, times in twice.items() if times > 1
    ]
    return Comparison(len(ledger.answered), len(found), faults)


def _find_foreign(found: dict[str, tuple[Any, ...]], ledger: Ledger) -> list[str]:
    """Records that aren't what the model says of an applicant that was posted."""
    scores = ledger.model.score(ledger.rows, explain=False)
    points = ledger.model.contract.policy.score_points(scores.probability).tolist()
    faults = []
    for decision_id, (applicant, probability, _, n_points, payload) in found.items():
        number = ledger.posted.get(applicant)
        if number is None:
            faults.append(f"{decision_id} is on record for {applicant!r}, who was never posted")
            continue
        given = _decode_payload(payload)
        inputs = [np.nan if value is None else value for value in given.inputs]
        is_right = given.id == applicant and np.array_equal(inputs, ledger.rows[number], equal_nan=True)
        if not is_right or (probability, n_points) != (float(scores.probability[number]), points[number]):
            faults.append(f"{decision_id} of {applicant} isn't what the model says of the applicant: {payload[:200]}")
    return faults
