"""The ONNX session of one model file: batches of applicants, or a single one through preallocated buffers.

Used by the server, by portfolio scoring, and by training to verify its export. Changes here must never change
the answers of a given file.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime
from msgspec import Struct
from onnxruntime import OrtValue
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from model.contract import Contract, Definition

RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    runtime.EPFail,
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NotImplemented,
    runtime.RuntimeException,
    UnicodeDecodeError,
)
"""What onnxruntime raises for a file or an input that it can't use; these types have no common base class."""

Matrix = npt.NDArray[np.float64]

NAN = float("nan")

OUTPUTS = ["probability", "decision", "contributions"]
EXPLAIN = np.array(True)
"""Value of the graph's optional input `explain` for contributions."""

EXPLAIN_BATCH_ROWS: dict[Definition, int] = {"interventional": 96, "path-dependent": 256}
"""Batch size of the graph with contributions, so that intermediate results stay in the processor's cache; the tables of
larger trees are fetched less often with larger batches."""


class Scores(Struct, frozen=True):
    """Outputs of the graph for n applicants.

    probability: float64, shape (n,), of default. decision: int64, shape (n,), index into DECISIONS.
    contributions: float64, shape (n, n_fields), Shapley values in the unit of the contract's attribution; (0, n_fields)
    without `explain`.
    """

    probability: Matrix
    decision: npt.NDArray[np.int64]
    contributions: Matrix


class Model(Struct, frozen=True):
    """A loaded model file; made by `load_model`."""

    contract: Contract
    sha256: str
    session: onnxruntime.InferenceSession

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Score applicants: float64, shape (n, n_fields), NaN = missing, a category as index of its level."""
        option = {"explain": EXPLAIN} if explain else {}
        size = EXPLAIN_BATCH_ROWS[self.contract.attribution.definition] if explain else self.contract.rows_at_once
        starts = range(0, max(len(applicants), 1), size)
        parts = [
            self.session.run(OUTPUTS, {"applicants": applicants[start : start + size], **option}) for start in starts
        ]
        return Scores(*(parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))))


class RowSession:
    """Fast path for one applicant: inputs and outputs of the graph are bound once to buffers that are reused.

    Takes half the time of `Model.score`, which allocates arrays. Not thread-safe. `row`: the input buffer, float64,
    shape (1, n_fields).
    """

    def __init__(self, model: Model) -> None:
        width = len(model.contract.fields)
        self.row: Matrix = np.zeros((1, width))
        probability, decision = np.zeros(1), np.zeros(1, np.int64)
        self._scores = Scores(probability, decision, np.zeros((0, width)))
        self._explained_scores = Scores(probability, decision, np.zeros((1, width)))
        self._buffer = self.row.data
        self._pack = struct.Struct(f"{width}d").pack_into
        self._session = model.session
        self._plain, self._explained = model.session.io_binding(), model.session.io_binding()
        for binding in (self._plain, self._explained):
            binding.bind_cpu_input("applicants", self.row)
            for name in ("probability", "decision"):
                buffer = getattr(self._scores, name)
                binding.bind_output(name, "cpu", 0, buffer.dtype.type, buffer.shape, buffer.ctypes.data)
        buffer = self._explained_scores.contributions
        self._explained.bind_ortvalue_input("explain", OrtValue.ortvalue_from_numpy(EXPLAIN))
        self._explained.bind_output("contributions", "cpu", 0, np.float64, buffer.shape, buffer.ctypes.data)

    def score(self, values: Sequence[float | None], *, explain: bool = False) -> Scores:
        """Score one applicant, one value per field, None = missing; the next call overwrites the returned scores."""
        try:
            self._pack(self._buffer, 0, *values)
        except struct.error:
            self._pack(self._buffer, 0, *[NAN if value is None else value for value in values])
        self._session.run_with_iobinding(self._explained if explain else self._plain)
        return self._explained_scores if explain else self._scores


def make_session(content: bytes) -> onnxruntime.InferenceSession:
    """An onnxruntime session on one thread for the bytes of a file; raises one of RUNTIME_ERRORS."""
    # One thread for each worker: a row takes microseconds, and thread pools of several workers compete for the cores.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # errors are raised as exceptions, and reported once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
