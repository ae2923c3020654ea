"""From a file to a model that may answer: its checksum, contract, signature and golden rows are proven first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.checksum import check_checksum
from model.contract import ContractError, read_contract
from model.session import OUTPUTS, RUNTIME_ERRORS, Model, make_session

GOLDEN_TOLERANCE = 1e-9
"""Largest difference in probability from a golden answer. Processors differ by some 1e-16; a wrong
threshold, field order or library differs by far more."""


def load_model(source: Path | bytes) -> Model:
    """Load a model file, or its bytes, and replay its golden rows.

    Raises ContractError if the file is absent, was changed since its export, has another contract
    version, or answers a golden row differently.
    """
    content = _read(source) if isinstance(source, Path) else source
    sha256 = check_checksum(content)
    try:
        session = make_session(content)
        contract = read_contract(session.get_modelmeta().custom_metadata_map)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model file is not a graph that onnxruntime can run: {first_line(error)}") from error
    model = Model(contract, sha256, session)
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
        raise ContractError(f"the model file can't score its own golden rows: {first_line(error)}") from error
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
    except MemoryError as error:
        raise ContractError(f"the model file {path} is too large for this machine's memory; is it one?") from error
    except OSError as error:
        raise ContractError(
            f"can't read the model file {path}: {error.strerror}; make one with: python -m train data/credit_data.toml"
        ) from error


def first_line(error: Exception) -> str:
    """What an error of onnxruntime says, without the trace of its own that follows."""
    return (str(error).splitlines() or [type(error).__name__])[0]
