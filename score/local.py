"""The local engine: all cores of this machine, a bounded memory, and a run that can be interrupted at any moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import NamedTuple, TypeVar

import pyarrow as pa

from score.batches import Scorer, score_batches
from score.errors import ScoringError
from score.output import Counts, Output
from score.portfolio import Portfolio

BATCHES_AHEAD = 4
"""Batches that are read before anybody asks for them: a disk that pauses shall not make all others pause."""

Item = TypeVar("Item")


class _Origin(NamedTuple):
    """Where a batch comes from: the number of its part, and how much of the portfolio's size it is."""

    part: int
    units: int


def score_locally(
    portfolio: Portfolio, scorer: Scorer, output: Output, threads: int, advance: Callable[[int], object]
) -> Counts:
    """Score what isn't done yet, a part for each piece, and finish OUT; what became of the rows.

    Reading (in a thread and on Arrow's own), scoring (on `threads`) and writing (here) go on side by side; `advance`
    is told how many more units of the portfolio's size are done. Raises ScoringError if a file can't be read, has
    changed meanwhile, or if the rows don't add up; the parts that are whole by then are kept.
    """
    before = portfolio.mark()
    rows = Counts(0, 0, 0)
    done: list[Counts] = []
    origins: deque[_Origin] = deque()

    def read() -> Iterator[pa.RecordBatch]:
        for number, piece in enumerate(portfolio.pieces(scorer)):
            if counts := output.done(number):
                done.append(counts)
                advance(piece.size)
                continue
            for batch, units in piece.batches():
                origins.append(_Origin(number, units))
                yield batch

    answered = ((answers, origins.popleft()) for answers in score_batches(_read_ahead(read()), scorer, threads))
    for number, group in groupby(answered, key=lambda pair: pair[1].part):
        with output.part(number) as part:
            for answers, origin in group:
                part.write(answers)
                advance(origin.units)
        rows += part.counts
    rows = sum(done, rows)

    if portfolio.mark() != before:
        raise ScoringError(f"the files of {portfolio.root} changed while they were scored; score again")
    check_counts(rows, portfolio.rows)
    output.finish(rows)
    return rows


def check_counts(rows: Counts, expected: int | None) -> None:
    """Raise ScoringError unless rows in = rows out + rejects, and as many as the files say they have."""
    if rows.read != rows.scored + rows.rejected or (expected is not None and expected != rows.read):
        told = "" if expected is None else f", the files say {expected:,}"
        raise ScoringError(
            f"rows don't add up: {rows.read:,} read{told}, {rows.scored:,} scored, {rows.rejected:,} rejected; "
            "this is a fault of ours: report it, and don't use the scores"
        )


def _read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in their order, fetched in a thread while those before are used."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, iterator, None) for _ in range(BATCHES_AHEAD))
        try:
            while (item := coming.popleft().result()) is not None:
                coming.append(pool.submit(next, iterator, None))
                yield item
        finally:
            for future in coming:
                future.cancel()
