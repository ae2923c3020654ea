"""`python -m benchmarks.simulated_records URL`: a simulated lender's decisions, reviews and outcomes on record."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.simulator import HOUR, START, Change, Lender, Stream, end_of, load_challenger, make_content, simulate
from decisions.chain import Chain
from decisions.ids import IdSource
from decisions.model_files import describe_file
from decisions.outcomes import Outcome, prepare_outcomes
from decisions.record import Answer, Entry, ReviewPayload, make_decisions
from decisions.shadows import Shadows, make_shadows
from decisions.store import Store, open_store
from model.loading import load_model
from model.policy import DECISIONS
from model.session import Model

ROWS_AT_ONCE = 5_000

CHANGES = {
    "none": (),
    "shift": (Change(26, "Debt", shift=0.5),),
    "rate": (Change(26, default_rate=1.5),),
    "relation": (Change(26, effects=(("Debt", 0.0), ("Employment", 0.0))),),
}


def record_stream(store: Store, lender: Lender, stream: Stream) -> None:
    """Record a stream as the service, its users and an import of outcomes would."""
    content = make_content(lender.default_rate, lender.unused)
    model = load_model(content)
    challenger = None if lender.challenger_unused is None else load_challenger(lender)
    store.migrate()
    store.put_model(describe_file(model, content), START)
    if challenger:
        shadow = make_content(lender.default_rate, lender.challenger_unused or (), seed=2)
        store.put_model(describe_file(challenger, shadow), START)
    chain, source, history = Chain(store), IdSource(), stream.history
    for first in range(0, len(stream.X), ROWS_AT_ONCE):
        rows = range(first, min(first + ROWS_AT_ONCE, len(stream.X)))
        decisions = _make_decisions(stream, model, rows, source)
        finals = history.final[rows.start : rows.stop].tolist()
        reviews = [
            _make_review(decision, final, source)
            for decision, final in zip(decisions, finals, strict=True)
            if final >= 0
        ]
        shadows = _make_shadows(stream, challenger, rows, decisions, source) if challenger else []
        for entries in filter(None, (decisions, shadows, reviews)):
            chain.append(entries)
        outcomes = [
            Outcome(
                date=str(np.datetime64(int(history.outcome_day[row]), "D")),
                defaulted=bool(history.defaulted[row]),
                amount_lost=None if np.isnan(history.amount_lost[row]) else float(history.amount_lost[row]),
                decision_id=decision.id,
            )
            for row, decision in zip(rows, decisions, strict=True)
            if history.outcome_day[row] >= 0
        ]
        if outcomes:
            chain.append(prepare_outcomes(store, outcomes, "core-banking").entries)


def _make_decisions(stream: Stream, model: Model, rows: range, source: IdSource) -> list[Entry]:
    """The entries of decisions, each at its own time."""
    part, history = slice(rows.start, rows.stop), stream.history
    answer = Answer(
        decision_ids=source.reserve(len(rows)),
        time=0,
        model=model.sha256,
        ids=[f"applicant {row}" for row in rows],
        inputs=stream.X[part].tolist(),
        probability=history.probability[part].tolist(),
        decision=[DECISIONS[index] for index in history.decision[part].tolist()],
        points=model.contract.policy.score_points(history.probability[part]).tolist(),
        reasons=0,
    )
    entries = make_decisions(answer, None, "web")
    times = history.time[part].tolist()
    return [msgspec.structs.replace(entry, time=time) for entry, time in zip(entries, times, strict=True)]


def _make_shadows(
    stream: Stream, challenger: Model, rows: range, decisions: list[Entry], source: IdSource
) -> list[Entry]:
    """What the challenger would have decided."""
    part, history = slice(rows.start, rows.stop), stream.history
    probability = history.challenger_probability[part]
    return make_shadows(
        Shadows(
            ids=source.reserve(len(rows)),
            model=challenger.sha256,
            subjects=[decision.id for decision in decisions],
            times=[decision.time for decision in decisions],
            applicants=[f"applicant {row}" for row in rows],
            inputs=stream.X[part].tolist(),
            probability=probability.tolist(),
            decision=[DECISIONS[index] for index in history.challenger_decision[part].tolist()],
            points=challenger.contract.policy.score_points(probability).tolist(),
        )
    )


def _make_review(decision: Entry, final: int, source: IdSource) -> Entry:
    """A person's decision an hour later."""
    return Entry(
        id=source.reserve(1)[0],
        kind="review",
        time=decision.time + HOUR,
        payload=msgspec.json.encode(ReviewPayload("Smith", "documents")).decode(),
        key="smith",
        subject=decision.id,
        applicant=decision.applicant,
        decision=DECISIONS[final],
    )


def main() -> None:
    """Fill a database, and write the model file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulated_records",
        description="Record a year of a simulated lender, 200 applicants a week, with a challenger in the shadow.",
    )
    parser.add_argument("url", metavar="URL", help="of an empty database, such as sqlite:///simulated.db")
    parser.add_argument(
        "--change",
        choices=CHANGES,
        default="none",
        help="after half a year: one field shifts, the default rate rises "
        "by half, or two fields lose their relation to default; default: none",
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="write the file of the model in service there")
    options = parser.parse_args()
    lender, weeks = Lender(200, unused=("Inquiries",), challenger_unused=()), 52
    with closing(open_store(options.url)) as store:
        store.migrate()
        ((records,),) = list(store.query("SELECT count(*) FROM records"))
        if records:
            parser.error(f"the database has {records:,} records, expected an empty one: give another URL")
        record_stream(store, lender, simulate(lender, weeks, CHANGES[options.change], 1).until(end_of(weeks - 1)))
    if options.model:
        options.model.write_bytes(make_content(lender.default_rate, lender.unused))


if __name__ == "__main__":
    main()
