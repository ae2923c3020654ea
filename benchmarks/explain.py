"""`make bench-explain`: time and file size of the ONNX graph, with and without reasons, on one thread.

400 trees of 8 leaves on synthetic applicants with 23 and with 770 fields: building the Shapley tables, size of the
file, one row and batches of 1,000. Shown are the median of many short rounds and the fastest, which other processes on
the machine disturb least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper
from onnxruntime import OrtValue
from sklearn.pipeline import Pipeline

from benchmarks.synthetic import draw_applicants, make_boosting
from model.policy import Points, Policy
from model.session import EXPLAIN, EXPLAIN_BATCH_ROWS, OUTPUTS, Matrix, make_session
from train.export import count_rows_at_once, draw_reference
from train.export.graph import convert, serialize
from train.export.shapley import build_tables
from train.export.trees import Trees
from train.readers.describe import describe
from train.threads import limit_threads

TREES = 400
BATCH_ROWS = 1_000
MISSING = 0.1
ROUNDS = 200
POLICY = Policy(5.0, 1.0, None, 1 / 6, 1 / 6, Points())


def main() -> None:
    """Measure and print a line for each number of fields."""
    # The time of a graph with one node shows how fast the machine is at the moment.
    one_node = time_row(one_node_graph(), np.zeros((1, 23)), ["output"])
    print(f"graph of one node: median {one_node} µs (fastest in brackets)")
    print("fields  build s  tables MB  file MB         row µs  explained row µs   batch µs/row  explained µs/row")
    for n_fields in (23, 770):
        X, y = draw_applicants(n_fields, MISSING)
        with limit_threads(X.size):
            pipeline = Pipeline([("classify", make_boosting(TREES))]).fit(X, y)
        reference = draw_reference(X, 0)
        described = describe(pipeline)
        trees = described.members[0].function
        if not isinstance(trees, Trees):
            raise TypeError(f"got {trees!r}, expected Trees")
        started = time.perf_counter()
        tables = build_tables(trees, np.arange(n_fields), reference)
        seconds = time.perf_counter() - started
        n_table_fields = max(len(table.fields) for table in tables)
        megabytes = sum(len(table.values) for table in tables) * n_table_fields * 8 / 1e6
        content = serialize(convert(described, POLICY, reference))
        row, batch = X[:1], X[:BATCH_ROWS]
        figures = [
            time_row(content, row),
            time_row(content, row, explain=True),
            time_batch(content, batch, count_rows_at_once(n_fields, TREES)),
            time_batch(content, batch, EXPLAIN_BATCH_ROWS["interventional"], explain=True),
        ]
        print(
            f"{n_fields:6}  {seconds:7.2f}  {megabytes:9.2f}  {len(content) / 1e6:7.2f}"
            + "".join(f"  {figure!s:>15}" for figure in figures)
        )


def one_node_graph() -> bytes:
    """An ONNX file that negates its input."""
    node = helper.make_node("Neg", ["applicants"], ["output"])
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 23]) for name in ("applicants", "output")]
    graph = helper.make_graph([node], "one node", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


@dataclass(frozen=True, slots=True)
class Time:
    """Microseconds for a row."""

    median: float
    fastest: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.fastest:.1f})"


def time_row(content: bytes, row: Matrix, outputs: list[str] = OUTPUTS, explain: bool = False) -> Time:
    """Time one row with preallocated buffers, so that making arrays is not measured."""
    session = make_session(content)
    binding = session.io_binding()
    binding.bind_cpu_input("applicants", row)
    if explain:
        binding.bind_ortvalue_input("explain", OrtValue.ortvalue_from_numpy(EXPLAIN))
    for name in outputs:
        binding.bind_output(name, "cpu")
    return time_calls(lambda: session.run_with_iobinding(binding), 20)


def time_batch(content: bytes, applicants: Matrix, size: int, explain: bool = False, rounds: int = ROUNDS) -> Time:
    """Time many rows, split into runs of `size` rows as the service does."""
    session = make_session(content)
    parts = [applicants[start : start + size] for start in range(0, len(applicants), size)]
    feeds = [{"applicants": part, **({"explain": EXPLAIN} if explain else {})} for part in parts]
    total = time_calls(lambda: [session.run(OUTPUTS, feed) for feed in feeds], 1, rounds)
    return Time(total.median / len(applicants), total.fastest / len(applicants))


def time_calls(call: Callable[[], object], calls: int, rounds: int = ROUNDS) -> Time:
    """Time rounds of `calls` calls; returns microseconds for a call."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - started) / calls * 1e6)
    return Time(statistics.median(times), min(times))


if __name__ == "__main__":
    main()
