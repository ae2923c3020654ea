"""One loaded model: the graph, its contract and its hash, proven before it answers anybody.

Used by the server, by portfolio scoring, and by training to prove its own export. The answers of a
given file must never change with this module.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from serve.contract import Contract, ContractError, read_contract

GOLDEN_TOLERANCE = 1e-9
"""Largest difference in probability from a golden answer. Processors differ by some 1e-16; a wrong
threshold, field order or library differs by far more."""

RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    runtime.EPFail,
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NotImplemented,
    runtime.RuntimeException,
    ValueError,
)
"""What onnxruntime raises for a file or an input it can't use; its own types have no common base."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """The answers for n applicants.

    probability: float64, shape (n,), of default. decision: int64, shape (n,), index into DECISIONS.
    """

    probability: Matrix
    decision: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Model:
    """A graph ready to run; made by `load_model`."""

    contract: Contract
    sha256: str
    session: onnxruntime.InferenceSession

    def score(self, applicants: Matrix) -> Scores:
        """Score applicants: float64, shape (n, n_fields), NaN = missing, a category as index of its level."""
        probability, decision = self.session.run(["probability", "decision"], {"applicants": applicants})
        return Scores(probability, decision)


def load_model(source: Path | bytes) -> Model:
    """Load a model file, or its bytes, and replay its golden rows.

    Raises ContractError if the file is absent, is not a model of ours, has another contract version,
    or answers a golden row differently.
    """
    content = _read(source) if isinstance(source, Path) else source
    try:
        session = onnxruntime.InferenceSession(content, _session_options(), providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model file is not a graph that onnxruntime can run: {_first_line(error)}") from error
    contract = read_contract(session.get_modelmeta().custom_metadata_map)
    model = Model(contract, hashlib.sha256(content).hexdigest(), session)
    check_golden_rows(model)
    return model


def check_golden_rows(model: Model) -> None:
    """Replay the golden rows; raises ContractError with the first row that is answered differently."""
    golden = model.contract.golden
    if not golden.applicants:
        raise ContractError("the model file has no golden rows, so nothing proves it; export it again: python -m train")
    applicants = np.array(golden.applicants, dtype=np.float64)
    try:
        scores = model.score(applicants)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model file can't score its own golden rows: {_first_line(error)}") from error
    far = ~(np.abs(scores.probability - np.array(golden.probability)) <= GOLDEN_TOLERANCE)
    wrong = np.flatnonzero(far | (scores.decision != np.array(golden.decision)))
    if wrong.size:
        row = int(wrong[0])
        raise ContractError(
            f"the model file answers golden row {row} with probability {scores.probability[row]!r} and decision "
            f"{scores.decision[row]}, expected {golden.probability[row]!r} and {golden.decision[row]}; "
            "don't serve it: export it again: python -m train"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractError(
            f"can't read the model file {path}: {error.strerror}; make one with: python -m train data/credit_data.toml"
        ) from error


def _session_options() -> onnxruntime.SessionOptions:
    # One thread a worker: a row takes microseconds, and two pools on a small machine halve the throughput.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
