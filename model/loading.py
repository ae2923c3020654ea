"""Loading a model file: its checksum, contract, graph signature, golden rows and points table are checked first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.checksum import check_checksum
from model.contract import EXPORT_AGAIN, ContractError, read_contract
from model.scorecard_check import check_scorecard
from model.session import OUTPUTS, RUNTIME_ERRORS, Model, make_session

GOLDEN_TOLERANCE = 1e-9
"""Maximum difference in probability from a golden answer. Processors differ by some 1e-16; a wrong threshold, field
order or library by far more."""


def load_model(source: Path | bytes) -> Model:
    """Load a model file, or its bytes, and replay its golden rows.

    Raises ContractError if the file is absent, was changed since its export, has another contract
    version, gives another answer to a golden row, or has a points table that isn't what its graph computes.
    """
    content = read_file(source) if isinstance(source, Path) else source
    sha256 = check_checksum(content)
    try:
        session = make_session(content)
        contract = read_contract(session.get_modelmeta().custom_metadata_map)
    except RUNTIME_ERRORS as error:
        raise ContractError(f"the model file is not a graph that onnxruntime can run: {first_line(error)}") from error
    model = Model(contract, sha256, session)
    check_signature(model)
    check_golden_rows(model)
    check_scorecard(model)
    return model


def check_signature(model: Model) -> None:
    """Raise ContractError unless the graph has the inputs and outputs of the contract."""
    session, fields = model.session, model.contract.fields
    inputs = [(entry.name, len(entry.shape) and entry.shape[-1]) for entry in session.get_inputs()]
    options = {entry.name for entry in session.get_overridable_initializers()}
    outputs = {entry.name for entry in session.get_outputs()}
    if inputs != [("applicants", len(fields))] or "explain" not in options or not outputs.issuperset(OUTPUTS):
        raise ContractError(
            f"the model file's graph has inputs {inputs} and outputs {sorted(outputs)}, expected applicants of "
            f"{len(fields)} fields, the option explain, and {', '.join(OUTPUTS)}; {EXPORT_AGAIN}"
        )


def check_golden_rows(model: Model) -> None:
    """Replay the golden rows; raises ContractError with the first row whose answer differs."""
    golden = model.contract.golden
    widths = {len(row) for row in golden.applicants}
    is_complete = len(golden.applicants) == len(golden.probability) == len(golden.decision)
    if widths != {len(model.contract.fields)} or not is_complete:
        raise ContractError(f"the model file has no complete golden rows, so it can't be verified; {EXPORT_AGAIN}")
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
            f"don't serve it: {EXPORT_AGAIN}"
        )
    stated = model.contract.policy.decide(np.array(golden.probability), applicants)
    if differing := np.flatnonzero(stated != np.array(golden.decision)).tolist():
        raise ContractError(
            f"the model file's policy decides golden row {differing[0]} as {stated[differing[0]]}, and its graph as "
            f"{golden.decision[differing[0]]}; one of them was edited, don't serve it: {EXPORT_AGAIN}"
        )
    rebuilt, expected = model.contract.base_value + scores.contributions.sum(axis=1), np.array(golden.score)
    if not golden.score:
        with np.errstate(over="ignore"):
            rebuilt, expected = 1 / (1 + np.exp(-rebuilt)), scores.probability
    if not np.allclose(rebuilt, expected, rtol=GOLDEN_TOLERANCE if golden.score else 0, atol=GOLDEN_TOLERANCE):
        raise ContractError(
            "the contributions of the model file's golden rows don't add up to their probabilities; "
            f"don't serve it: {EXPORT_AGAIN}"
        )


def read_file(path: Path) -> bytes:
    """The bytes of a model file; raises ContractError."""
    try:
        return path.read_bytes()
    except MemoryError as error:
        raise ContractError(f"the model file {path} is larger than this machine's memory; check the path") from error
    except OSError as error:
        raise ContractError(
            f"can't read the model file {path}: {error.strerror}; make one with: python -m train data/credit_data.toml"
        ) from error


def first_line(error: Exception) -> str:
    """The first line of an error of onnxruntime, without its own stack trace."""
    return (str(error).splitlines() or [type(error).__name__])[0]
