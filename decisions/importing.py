"""Importing portfolio scores: decisions of `python -m score --inputs` on record, under the ids in its output.

A decision that is on record already is left as it is: an interrupted or repeated import records nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from msgspec import Struct

from decisions.chain import Chain, now
from decisions.model_files import describe_file
from decisions.portfolio_scores import InvalidScores, PortfolioScores, read_answers
from decisions.reading import select_in
from decisions.record import Entry, make_decisions
from decisions.store import InvalidRecords, Store

KEY = "import"
"""The column `key` of imported decisions."""

RECORDED_AT_ONCE = 10_000
"""Decisions of one transaction."""


class ImportReport(Struct, frozen=True):
    """Counts of decisions: recorded by this import, and on record before."""

    recorded: int
    known: int


def import_scores(scores: PortfolioScores, store: Store, progress: Callable[[int], object]) -> ImportReport:
    """Record each row as a decision, RECORDED_AT_ONCE in a transaction; `progress` is called with the rows of each.

    Raises InvalidScores and StoreError: then all transactions before are on record, and nothing of the last one.
    """
    chain: Chain | None = None
    own: int | None = None
    recorded = known = 0
    for answer in read_answers(scores, RECORDED_AT_ONCE):
        entries = make_decisions(answer, None, KEY)
        on_record = _find_on_record(store, entries, own)
        new = [entry for entry in entries if entry.id not in on_record]
        if new:
            if chain is None:
                store.put_model(describe_file(scores.model, scores.content), now())
                chain = Chain(store)
            try:
                own = chain.append(new)[0].chain
            except InvalidRecords as error:
                raise InvalidScores(
                    f"another process imports the same scores; run the command again ({error})"
                ) from error
        recorded += len(new)
        known += len(on_record)
        progress(len(entries))
    return ImportReport(recorded, known)


def _find_on_record(store: Store, entries: Sequence[Entry], own: int | None) -> set[str]:
    """The ids that were on record before this import, whose chain is `own`.

    Raises InvalidScores for an id that stands for two decisions, or for the same one twice.
    """
    ids = sorted(entry.id for entry in entries)
    for one, other in pairwise(ids):
        if one == other:
            raise _twice(one)
    by_id = {entry.id: entry for entry in entries}
    found = set()
    for record_id, chain, model, payload in select_in(
        store, "SELECT id, chain, model, payload FROM records WHERE id IN", ids
    ):
        if chain == own:
            raise _twice(record_id)
        # What was erased has no payload, and isn't brought back.
        if model != by_id[record_id].model or payload not in (None, by_id[record_id].payload):
            raise InvalidScores(
                f"decision {record_id} is on record with another applicant or other inputs: the scores were changed, "
                "or the file was, and kept its name, size and time; rename it, and score again"
            )
        found.add(record_id)
    return found


def _twice(decision_id: str) -> InvalidScores:
    return InvalidScores(f"decision_id {decision_id} is in the scores twice: they were changed; score again")
