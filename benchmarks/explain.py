"""`python -m benchmarks.explain`: what probability and reasons cost in the graph, on one thread.

400 trees of 8 leaves on synthetic applicants with 23 and with 770 fields: building the tables, the size of
the file, one row and batches of 1,000, with and without reasons. Medians over several rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from onnx import TensorProto, helper
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from serve.contract import Points, Policy
from serve.model import ASKED, EXPLAINED_ROWS, OUTPUTS, Matrix, make_session
from train.export import draw_reference
from train.export.graph import convert_pipeline, encode, serialize
from train.export.learners import read_classifier
from train.export.shapley import build_tables
from train.export.trees import Trees
from train.threads import limit_threads

ROWS, TREES = 4_000, 400
ROUNDS, CALLS = 7, 300
POLICY = Policy(5.0, 1.0, None, 1 / 6, 1 / 6, Points())


def main() -> None:
    """Measure and print one table row a width."""
    # What onnxruntime takes for a graph of one node tells how fast this machine is just now.
    print(f"a graph of one node: {measure(bare_graph(), np.zeros((1, 23)), outputs=['same']):.1f} µs a call")
    print("fields  build s  tables MB  file MB  row µs  row explained µs  batch µs/row  batch explained µs/row")
    for n_fields in (23, 770):
        X, y = draw(n_fields)
        with limit_threads(X.size):
            pipeline = Pipeline([("classify", boosting())]).fit(X, y)
        reference = draw_reference(X, 0)
        trees = read_classifier(pipeline[-1])
        if not isinstance(trees, Trees):
            raise TypeError(f"expected trees, got {trees!r}")
        started = time.perf_counter()
        tables = build_tables(trees, np.arange(n_fields), encode(pipeline, reference))
        seconds = time.perf_counter() - started
        width = max(len(table.players) for table in tables)
        megabytes = sum(len(table.values) for table in tables) * width * 8 / 1e6
        content = serialize(convert_pipeline(pipeline, POLICY, reference))
        figures = [measure(content, X[:rows], explain) for rows in (1, 1000) for explain in (False, True)]
        print(
            f"{n_fields:6}  {seconds:7.2f}  {megabytes:9.2f}  {len(content) / 1e6:7.2f}  {figures[0]:6.1f}  "
            f"{figures[1]:16.1f}  {figures[2]:12.2f}  {figures[3]:22.2f}"
        )


def draw(n_fields: int) -> tuple[Matrix, Matrix]:
    """Applicants with gaps whose outcome hangs on every field a little."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, n_fields))
    signal = np.tanh(X) @ random.normal(size=n_fields) / np.sqrt(n_fields)
    X[random.random(X.shape) < 0.1] = np.nan
    return X, (signal + random.normal(0, 0.5, ROWS) > 0.5).astype(np.float64)


def boosting() -> HistGradientBoostingClassifier:
    """400 trees of 8 leaves."""
    return HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=8, max_features=0.3, learning_rate=0.05, early_stopping=False, random_state=0
    )


def bare_graph() -> bytes:
    """A graph that gives back what it gets."""
    node = helper.make_node("Neg", ["applicants"], ["same"])
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 23]) for name in ("applicants", "same")]
    graph = helper.make_graph([node], "bare", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def measure(content: bytes, applicants: Matrix, explain: bool = False, outputs: list[str] = OUTPUTS) -> float:
    """Median microseconds a row of a graph, in the pieces and through the session that the service uses."""
    session = make_session(content)
    size = EXPLAINED_ROWS if explain else len(applicants)
    pieces = [applicants[start : start + size] for start in range(0, len(applicants), size)]
    feeds = [{"applicants": piece, **({"explain": ASKED} if explain else {})} for piece in pieces]
    calls = max(CALLS // len(applicants), 5)
    return median_seconds(lambda: [session.run(outputs, feed) for feed in feeds], calls) / len(applicants) * 1e6


def median_seconds(call: Callable[[], object], calls: int) -> float:
    """Median over rounds of the mean seconds of a call."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - started) / calls)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
