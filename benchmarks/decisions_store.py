"""`python -m benchmarks.decisions_store URL MODEL.onnx N`: fill a database with decisions, for measurements."""

from __future__ import annotations

import sys
from pathlib import Path

from decisions.chain import Chain, now
from decisions.ids import IdSource
from decisions.model_files import describe_file
from decisions.record import Answer, make_decisions
from decisions.store import Store, open_store
from model.loading import load_model
from model.policy import DECISIONS
from train.export.golden import draw_applicants

ROWS_AT_ONCE = 10_000


def fill(store: Store, content: bytes, count: int, *, start: int | None = None, seed: int = 1) -> None:
    """Record decisions on synthetic applicants with the ids "applicant 0" and so on, as one process would.

    `content`: of the model file. `start`: when the first one is made, microseconds since 1970; the others follow, one
    each millisecond.
    """
    store.migrate()
    model = load_model(content)
    store.put_model(describe_file(model, content), now())
    chain, ids = Chain(store), IdSource()
    time = now() if start is None else start
    for first in range(0, count, ROWS_AT_ONCE):
        size = min(ROWS_AT_ONCE, count - first)
        applicants = draw_applicants(list(model.contract.fields), size, seed + first)
        scores = model.score(applicants)
        answer = Answer(
            decision_ids=ids.reserve(size),
            time=time,
            model=model.sha256,
            ids=[f"applicant {number}" for number in range(first, first + size)],
            inputs=applicants.tolist(),
            probability=scores.probability.tolist(),
            decision=[DECISIONS[index] for index in scores.decision.tolist()],
            points=model.contract.policy.score_points(scores.probability).tolist(),
            reasons=4,
        )
        chain.append(make_decisions(answer, f"request {first}", "benchmark"))
        time += 1_000 * size


if __name__ == "__main__":
    fill(open_store(sys.argv[1]), Path(sys.argv[2]).read_bytes(), int(sys.argv[3]))
