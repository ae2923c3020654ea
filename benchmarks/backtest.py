"""`make bench-backtest`: time and memory of the backtest and of GET /v1/monitor's summary on a million decisions.

Half of the decisions that are 90 days old have an outcome, one in 20 is reviewed. `--url` names an empty database;
without it, a SQLite file that is removed again.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
from msgspec.structs import replace

from benchmarks.serve.machine import describe_machine
from decisions.chain import Chain, now
from decisions.ids import IdSource
from decisions.model_files import describe_file
from decisions.record import Answer, Entry, OutcomePayload, ReviewPayload, make_decisions
from decisions.store import Store, open_store
from model.loading import load_model
from model.policy import DECISIONS
from model.session import Model
from monitor.counting import Contracts, count_new
from monitor.summary import read_monitor
from train.export.golden import draw_applicants

MODEL = Path("artifacts/model.onnx")

DAY = 86_400_000_000
"""Microseconds."""

START = 1_750_000_000_000_000
"""The first decision, microseconds since 1970; the last one was made a moment ago."""

ROWS_AT_ONCE = 10_000

READS = 20

_encode = msgspec.json.Encoder().encode


def main() -> int:
    """Fill a database, and measure on it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backtest", description=__doc__)
    parser.add_argument("--url", help="of an empty database; default: a SQLite file")
    parser.add_argument("--decisions", type=int, default=1_000_000, metavar="N")
    options = parser.parse_args()
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/decisions.db"
        content = MODEL.read_bytes()
        model = load_model(content)
        with closing(open_store(url)) as store:
            store.migrate()
            store.put_model(describe_file(model, content), now())
            fill(store, model, options.decisions)
        seconds, megabytes = run_backtest(url, folder)
        print(f"backtest: {seconds:.1f} s, {megabytes:,.0f} MB")
        with closing(open_store(url)) as store:
            measure_summary(store, model)
    return 0


def fill(store: Store, model: Model, count: int) -> None:
    """Record decisions, reviews and outcomes as they would have come in since START."""
    chain, ids, random = Chain(store), IdSource(), np.random.default_rng(1)
    step = (now() - START) // count
    late: list[Entry] = []
    for first in range(0, count, ROWS_AT_ONCE):
        size = min(ROWS_AT_ONCE, count - first)
        applicants = draw_applicants(list(model.contract.fields), size, first)
        scores = model.score(applicants)
        answer = Answer(
            decision_ids=ids.reserve(size),
            time=0,
            model=model.sha256,
            ids=[f"applicant {first + number}" for number in range(size)],
            inputs=applicants.tolist(),
            probability=scores.probability.tolist(),
            decision=[DECISIONS[index] for index in scores.decision.tolist()],
            points=model.contract.policy.score_points(scores.probability).tolist(),
            reasons=0,
        )
        entries = make_decisions(answer, None, "web")
        made = [replace(entry, time=START + (first + number) * step) for number, entry in enumerate(entries)]
        defaulted = random.random(size) < scores.probability
        reviews = [_review(decision, ids, number) for number, decision in enumerate(made) if number % 20 == 0]
        old = [number for number in range(0, size, 2) if made[number].time + 90 * DAY < now()]
        late += [_tell(made[number], ids, bool(defaulted[number])) for number in old]
        chain.append([*made, *reviews])
    for first in range(0, len(late), ROWS_AT_ONCE):
        chain.append(late[first : first + ROWS_AT_ONCE])


def _review(decision: Entry, ids: IdSource, number: int) -> Entry:
    payload = _encode(ReviewPayload("officer", "documents")).decode()
    time, final = decision.time + DAY // 24, DECISIONS[number // 20 % 3]
    return Entry(ids.reserve(1)[0], "review", time, payload, subject=decision.id, decision=final)


def _tell(decision: Entry, ids: IdSource, defaulted: bool) -> Entry:
    time = decision.time + 90 * DAY
    date = str(np.datetime64(time // DAY, "D"))
    payload = _encode(OutcomePayload(date, defaulted, 100.0 if defaulted else None)).decode()
    return Entry(ids.reserve(1)[0], "outcome", time, payload, subject=decision.id)


def run_backtest(url: str, folder: str) -> tuple[float, float]:
    """Seconds and most memory, MB, of the command."""
    started = perf_counter()
    command = [sys.executable, "-m", "monitor", "backtest", "--decisions", url, "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_000


def measure_summary(store: Store, model: Model) -> None:
    """Count all records, then read the summary several times."""
    contracts, started = Contracts(), perf_counter()
    while count_new(store, contracts, now()):
        pass
    print(f"counting all records: {perf_counter() - started:.1f} s")
    seconds = []
    for _ in range(READS):
        started = perf_counter()
        read_monitor(store, model, None, now())
        seconds.append(perf_counter() - started)
    print(f"summary of GET /v1/monitor: median {np.median(seconds) * 1e3:.0f} ms, slowest {max(seconds) * 1e3:.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
