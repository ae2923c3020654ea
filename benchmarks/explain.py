"""`python -m benchmarks.explain`: what probability and reasons cost in the graph, on one thread.

400 trees of 8 leaves on synthetic applicants with 23 and with 770 fields: building the tables, the size of
the file, one row and batches of 1,000, with and without reasons. Medians over many short rounds, and the fastest of
them, which is what the graph takes while nobody else uses the machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper
from onnxruntime import OrtValue
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from model.policy import Points, Policy
from model.session import ASKED, EXPLAINED_AT_ONCE, OUTPUTS, Matrix, make_session
from train.export import count_rows_at_once, draw_reference
from train.export.graph import convert_pipeline, encode, serialize
from train.export.learners import read_classifier
from train.export.shapley import build_tables
from train.export.trees import Trees
from train.threads import limit_threads

ROWS, TREES = 4_000, 400
ROUNDS = 200
POLICY = Policy(5.0, 1.0, None, 1 / 6, 1 / 6, Points())


def main() -> None:
    """Measure and print one table row a width."""
    # What onnxruntime takes for a graph of one node tells how fast this machine is just now.
    print(f"a graph of one node: {time_row(bare_graph(), np.zeros((1, 23)), ['same'])} µs a call (fastest)")
    print("fields  build s  tables MB  file MB         row µs  explained row µs   batch µs/row  explained µs/row")
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
        row = X[:1]
        figures = [time_row(content, row), time_row(content, row, explain=True)]
        size = count_rows_at_once(trees, n_fields)
        figures += [time_batch(content, X[:1000], size), time_batch(content, X[:1000], EXPLAINED_AT_ONCE, explain=True)]
        print(
            f"{n_fields:6}  {seconds:7.2f}  {megabytes:9.2f}  {len(content) / 1e6:7.2f}"
            + "".join(f"  {figure!s:>15}" for figure in figures)
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


@dataclass(frozen=True, slots=True)
class Time:
    """Microseconds a row."""

    median: float
    fastest: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.fastest:.1f})"


def time_row(content: bytes, row: Matrix, outputs: list[str] = OUTPUTS, explain: bool = False) -> Time:
    """One row from and into kept buffers, so that the graph is measured and not the making of arrays."""
    session = make_session(content)
    binding = session.io_binding()
    binding.bind_cpu_input("applicants", row)
    if explain:
        binding.bind_ortvalue_input("explain", OrtValue.ortvalue_from_numpy(ASKED))
    for name in outputs:
        binding.bind_output(name, "cpu")
    return time_calls(lambda: session.run_with_iobinding(binding), 20)


def time_batch(content: bytes, applicants: Matrix, size: int, explain: bool = False) -> Time:
    """Many rows in the pieces that the service cuts them into."""
    session = make_session(content)
    pieces = [applicants[start : start + size] for start in range(0, len(applicants), size)]
    feeds = [{"applicants": piece, **({"explain": ASKED} if explain else {})} for piece in pieces]
    took = time_calls(lambda: [session.run(OUTPUTS, feed) for feed in feeds], 1)
    return Time(took.median / len(applicants), took.fastest / len(applicants))


def time_calls(call: Callable[[], object], calls: int) -> Time:
    """Microseconds a call: rounds of so many calls."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - started) / calls * 1e6)
    return Time(statistics.median(rounds), min(rounds))


if __name__ == "__main__":
    main()
