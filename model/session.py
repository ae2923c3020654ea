"""The graph of one model file, ready to run: many applicants at a time, or one from and into kept buffers.

Used by the server, by portfolio scoring, and by training to prove its own export. The answers of a
given file must never change with this module.
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

from model.contract import Contract

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
"""What onnxruntime raises for a file or an input it can't use; its own types have no common base."""

Matrix = npt.NDArray[np.float64]

NAN = float("nan")

OUTPUTS = ["probability", "decision", "contributions"]
ASKED = np.array(True)
EXPLAINED_AT_ONCE = 96
"""Rows that go through the graph at once with contributions: what is in work stays in the processor's cache."""


class Scores(Struct, frozen=True):
    """The answers for n applicants.

    probability: float64, shape (n,), of default. decision: int64, shape (n,), index into DECISIONS.
    contributions: float64, shape (n, n_fields), Shapley values of the log-odds, or (0, n_fields) unless asked for.
    """

    probability: Matrix
    decision: npt.NDArray[np.int64]
    contributions: Matrix


class Model(Struct, frozen=True):
    """A graph ready to run; made by `load_model`."""

    contract: Contract
    sha256: str
    session: onnxruntime.InferenceSession

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Score applicants: float64, shape (n, n_fields), NaN = missing, a category as index of its level."""
        asked = {"explain": ASKED} if explain else {}
        size = EXPLAINED_AT_ONCE if explain else self.contract.rows_at_once
        starts = range(0, max(len(applicants), 1), size)
        parts = [
            self.session.run(OUTPUTS, {"applicants": applicants[start : start + size], **asked}) for start in starts
        ]
        return Scores(*(parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))))


class RowSession:
    """One applicant at a time through buffers that the graph's inputs and outputs are bound to once.

    Takes half the time of `Model.score`, which makes arrays anew. Good for one thread at a time. `row`: float64, shape
    (1, n_fields); `scores`: of that row, with contributions, shape (1, n_fields).
    """

    def __init__(self, model: Model) -> None:
        width = len(model.contract.fields)
        self.row: Matrix = np.zeros((1, width))
        self.scores = Scores(np.zeros(1), np.zeros(1, np.int64), np.zeros((1, width)))
        self._buffer = self.row.data
        self._pack = struct.Struct(f"{width}d").pack_into
        self._session = model.session
        self._plain, self._explained = model.session.io_binding(), model.session.io_binding()
        for binding in (self._plain, self._explained):
            binding.bind_cpu_input("applicants", self.row)
            for name in ("probability", "decision"):
                kept = getattr(self.scores, name)
                binding.bind_output(name, "cpu", 0, kept.dtype.type, kept.shape, kept.ctypes.data)
        kept = self.scores.contributions
        self._explained.bind_ortvalue_input("explain", OrtValue.ortvalue_from_numpy(ASKED))
        self._explained.bind_output("contributions", "cpu", 0, np.float64, kept.shape, kept.ctypes.data)

    def score(self, values: Sequence[float | None], *, explain: bool = False) -> Scores:
        """Score one applicant, one value a field, None = missing; the answer is good until the next one."""
        try:
            self._pack(self._buffer, 0, *values)
        except struct.error:
            self._pack(self._buffer, 0, *[NAN if value is None else value for value in values])
        self._session.run_with_iobinding(self._explained if explain else self._plain)
        return self.scores


def make_session(content: bytes) -> onnxruntime.InferenceSession:
    """The session that serves a file: float64 on one thread; raises one of RUNTIME_ERRORS."""
    # One thread a worker: a row takes microseconds, and two pools on a small machine halve the throughput.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # a bad file is reported once, by us
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
