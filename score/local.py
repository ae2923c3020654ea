"""The local engine: uses all cores, bounds its memory, and can be interrupted and resumed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import NamedTuple, TypeVar

from score.batches import score_batches
from score.errors import ScoringError
from score.files import fingerprint_files
from score.manifest import Counts
from score.output import Output
from score.portfolio import Portfolio
from score.rows import Rows
from score.scorer import Scorer

READ_AHEAD_BATCHES = 4
"""Batches read in advance, so that scoring goes on while the disk is slow."""

Item = TypeVar("Item")


class _Origin(NamedTuple):
    """The part that a batch belongs to, and its share of the portfolio's size."""

    part: int
    units: int


def score_locally(
    portfolio: Portfolio,
    scorer: Scorer,
    output: Output,
    threads: int,
    advance: Callable[[int], object],
) -> Counts:
    """Score the pieces that have no complete part yet, finish OUT and return the row counts.

    Reading (in a thread), scoring (in `threads` threads) and writing (in this thread) run in parallel. `advance` is
    called with the units of the portfolio's size that were completed. Raises ScoringError if a file can't be read, was
    changed meanwhile, or if the row counts don't match; complete parts are kept.
    """
    rows = Counts(0, 0, 0)
    expected: list[int] = []
    resumed: list[Counts] = []
    origins: deque[_Origin] = deque()

    def read() -> Iterator[Rows]:
        for number, piece in enumerate(portfolio.pieces(scorer)):
            expected.append(piece.rows)
            if counts := output.read_counts(number):
                resumed.append(counts)
                advance(piece.size)
                continue
            for batch, units in piece.batches():
                origins.append(_Origin(number, units))
                yield batch

    batches = score_batches(_read_ahead(read()), scorer, output.schema.field("id").type, threads)
    scored = ((results, origins.popleft()) for results in batches)
    for number, group in groupby(scored, key=lambda pair: pair[1].part):
        with output.part(number) as part:
            for results, origin in group:
                part.write(results)
                advance(origin.units)
        rows += part.counts
    if not expected:
        with output.part(0):
            pass  # An empty part has the columns.
    rows = sum(resumed, rows)

    if fingerprint_files(portfolio.root) != output.settings.files:
        raise ScoringError(f"the files of {portfolio.root} changed while they were scored; score again")
    check_counts(rows, sum(expected))
    output.finish(rows, portfolio.dialects())
    return rows


def check_counts(rows: Counts, expected: int) -> None:
    """Raise ScoringError unless read = scored + rejected = `expected`, the number of rows before they were read."""
    if not rows.read == rows.scored + rows.rejected == expected:
        raise ScoringError(
            f"row counts don't match: {rows.read:,} read of {expected:,} in the files, {rows.scored:,} scored, "
            f"{rows.rejected:,} rejected; this is a bug: report it, and don't use the scores"
        )


def _read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order, fetched in advance by a thread."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        futures = deque(pool.submit(next, iterator, None) for _ in range(READ_AHEAD_BATCHES))
        try:
            while (item := futures.popleft().result()) is not None:
                futures.append(pool.submit(next, iterator, None))
                yield item
        finally:
            for future in futures:
                future.cancel()
