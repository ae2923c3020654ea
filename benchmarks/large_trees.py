"""`make bench-trees`: time of the ONNX graph of larger trees beside LightGBM's own, on one thread.

300 trees of 31 leaves on synthetic applicants with 23 fields, in one process: probabilities in batches and alone,
path-dependent reasons in batches and alone. lleaves, which compiles the trees, is measured too where it is installed
(`pip install lleaves "llvmlite<0.44"`). Shown are the median of short rounds and the fastest, which other processes on
the machine disturb least.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.pipeline import Pipeline

from benchmarks.explain import MISSING, POLICY, Time, time_batch, time_calls, time_row
from benchmarks.synthetic import SEED, draw_applicants
from model.session import Matrix, make_session
from train.export import count_rows_at_once
from train.export.graph import convert, serialize
from train.readers.describe import describe

FIELDS, TREES, LEAVES = 23, 300, 31
ROWS, EXPLAINED_ROWS = 1_000, 480
BATCHES = (96, 192, 480)
"""Batch sizes of explained rows."""


def main() -> None:
    """Measure and print a line for each task and tool."""
    X, y = draw_applicants(FIELDS, MISSING)
    classifier = LGBMClassifier(
        n_estimators=TREES, num_leaves=LEAVES, learning_rate=0.05, random_state=SEED, n_jobs=1, verbose=-1
    ).fit(X, y)
    started = time.perf_counter()
    content = serialize(convert(describe(Pipeline([("classify", classifier)])), POLICY, None))
    exported = time.perf_counter()
    make_session(content)
    print(
        f"{TREES} trees of {LEAVES} leaves, {FIELDS} fields: exported in {exported - started:.1f} s, "
        f"{len(content) / 1e6:.1f} MB, loaded in {time.perf_counter() - exported:.1f} s"
    )

    booster, batch, row = classifier.booster_, X[:ROWS], X[:1]
    print("probability, µs/row")
    size = count_rows_at_once(FIELDS, TREES)
    show(f"this graph, batches of {size}", time_batch(content, batch, size))
    show("LightGBM", per_row(lambda: booster.predict(batch, num_threads=1), ROWS))
    if importlib.util.find_spec("lleaves"):
        show("lleaves", per_row(compile_with_lleaves(classifier, batch), ROWS))
    show("this graph, one row", time_row(content, row))
    print("reasons, µs/row")
    explained = X[:EXPLAINED_ROWS]
    for size in BATCHES:
        show(f"this graph, batches of {size}", time_batch(content, explained, size, explain=True, rounds=20))
    show("LightGBM's pred_contrib", per_row(lambda: booster.predict(X[:96], pred_contrib=True, num_threads=1), 96))
    show("this graph, one row", time_row(content, row, explain=True))


def show(name: str, figure: Time) -> None:
    """Print a line."""
    print(f"  {name:30}  {figure!s:>20}")


def per_row(call: Callable[[], object], rows: int) -> Time:
    """Time a call that scores `rows` rows."""
    total = time_calls(call, 1, rounds=20)
    return Time(total.median / rows, total.fastest / rows)


def compile_with_lleaves(classifier: LGBMClassifier, batch: Matrix) -> Callable[[], object]:
    """lleaves' prediction of a batch; prints how long it compiles."""
    import lleaves

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        classifier.booster_.save_model(path)
        model = lleaves.Model(model_file=path)
        started = time.perf_counter()
        model.compile()
    print(f"  lleaves compiled in {time.perf_counter() - started:.1f} s")
    return lambda: model.predict(np.ascontiguousarray(batch), n_jobs=1)


if __name__ == "__main__":
    main()
