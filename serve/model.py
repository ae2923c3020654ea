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
from serve.seal import check_seal

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
    UnicodeDecodeError,
)
"""What onnxruntime raises for a file or an input it can't use; its own types have no common base."""

Matrix = npt.NDArray[np.float64]


OUTPUTS = ["probability", "decision", "contributions"]
ASKED = np.array(True)
EXPLAINED_AT_ONCE = 96
"""Rows that go through the graph at once with contributions: what is in work stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The answers for n applicants.

    probability: float64, shape (n,), of default. decision: int64, shape (n,), index into DECISIONS.
    contributions: float64, shape (n, n_fields), Shapley values of the log-odds, or (0, n_fields) unless asked for.
    """

    probability: Matrix
    decision: npt.NDArray[np.int64]
    contributions: Matrix


@dataclass(frozen=True, slots=True)
class Model:
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


def load_model(source: Path | bytes) -> Model:
    """Load a model file, or its bytes, and replay its golden rows.

    Raises ContractError if the file is absent, was changed since its export, has another contract
    version, or answers a golden row differently.
    """
    content = _read(source) if isinstance(source, Path) else source
    check_seal(content)
    try:
        session = make_session(content)
        contract = read_contract(session.get_modelmeta().custom_metadata_map)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model file is not a graph that onnxruntime can run: {_first_line(error)}") from error
    model = Model(contract, hashlib.sha256(content).hexdigest(), session)
    check_signature(model)
    check_golden_rows(model)
    return model


def check_signature(model: Model) -> None:
    """Raise ContractError unless the graph takes and gives what the contract says."""
    session, fields = model.session, model.contract.fields
    takes = [(entry.name, len(entry.shape) and entry.shape[-1]) for entry in session.get_inputs()]
    options = {entry.name for entry in session.get_overridable_initializers()}
    gives = {entry.name for entry in session.get_outputs()}
    if takes != [("applicants", len(fields))] or "explain" not in options or not gives.issuperset(OUTPUTS):
        raise ContractError(
            f"the model file's graph takes {takes} and gives {sorted(gives)}, expected applicants of {len(fields)} "
            f"fields, the option explain, and {', '.join(OUTPUTS)}; export it again: python -m train"
        )


def check_golden_rows(model: Model) -> None:
    """Replay the golden rows; raises ContractError with the first row that is answered differently."""
    golden = model.contract.golden
    widths = {len(row) for row in golden.applicants}
    is_whole = len(golden.applicants) == len(golden.probability) == len(golden.decision)
    if widths != {len(model.contract.fields)} or not is_whole:
        raise ContractError(
            "the model file has no whole golden rows, so nothing proves it; export it again: python -m train"
        )
    applicants = np.array(golden.applicants, dtype=np.float64)
    try:
        scores = model.score(applicants, explain=True)
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
    with np.errstate(over="ignore"):
        rebuilt = 1 / (1 + np.exp(-(model.contract.base_value + scores.contributions.sum(axis=1))))
    if not np.allclose(rebuilt, scores.probability, rtol=0, atol=GOLDEN_TOLERANCE):
        raise ContractError(
            "the contributions of the model file's golden rows don't add up to their probabilities; "
            "don't serve it: export it again: python -m train"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContractError(
            f"can't read the model file {path}: {error.strerror}; make one with: python -m train data/credit_data.toml"
        ) from error


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


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
