"""load_runtime and make_runtime: a model is served only after it has passed its self-test."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import structs

from model.checksum import append_checksum
from model.contract import EXPORT_AGAIN, ContractError
from model.session import Model, RowSession, Scores
from serve.keys import read_key
from serve.loading import load_runtime, make_runtime
from serve.settings import Settings
from tests.serve.files import UNSERVABLE

MUTANTS = 60


def test_a_valid_file_is_loaded_from_a_path_or_bytes(content: bytes, model: Model, tmp_path: Path) -> None:
    """Both have the hash of the bytes."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    names = [load_runtime(source, Settings()).identity for source in (path, content)]

    assert {name.sha256 for name in names} == {model.sha256}
    assert {name.version for name in names} == {model.contract.version}


def test_the_runtime_is_complete_after_make_runtime(model: Model) -> None:
    """Pages, OpenAPI document and description exist before the first request."""
    runtime = make_runtime(model, Settings())

    assert b'"openapi":"3.1.0"' in runtime.openapi_json
    assert b'"golden"' not in runtime.model_json
    assert set(runtime.home) >= {"en"}


@pytest.mark.parametrize(
    "settings",
    [
        Settings(max_rows=1),
        Settings(max_rows=99),
        Settings(max_body_bytes=1024),
        Settings(api_keys=(read_key("k" * 16),), queue_bodies=1),
    ],
    ids=["one row", "too few for changes", "small bodies", "keys"],
)
def test_the_self_test_passes_with_any_limits(model: Model, settings: Settings) -> None:
    """Limits apply to requests, not to the self-test."""
    assert make_runtime(model, settings).identity.version == model.contract.version


@pytest.mark.parametrize("fault", UNSERVABLE)
def test_a_file_that_would_fail_for_an_applicant_is_not_loaded(content: bytes, fault: str) -> None:
    """Its graph answers the golden rows, but its contract is wrong."""
    make, message = UNSERVABLE[fault]

    with pytest.raises(ContractError, match=message) as caught:
        load_runtime(make(content), Settings())

    assert str(caught.value).endswith(f"; {EXPORT_AGAIN}")
    assert "\n" not in str(caught.value)


def test_an_answer_other_than_the_golden_one_is_refused(model: Model) -> None:
    """The message has the request format and both probabilities."""
    golden = model.contract.golden
    wrong = structs.replace(golden, probability=(golden.probability[0] + 0.001, *golden.probability[1:]))
    altered = Model(structs.replace(model.contract, golden=wrong), model.sha256, model.session)

    with pytest.raises(ContractError, match="answers a golden row through POST /score with probability 0"):
        make_runtime(altered, Settings())


def test_an_unexpected_exception_is_a_contract_error(model: Model) -> None:
    """Its type is in the message."""
    golden = structs.replace(model.contract.golden, applicants=())
    altered = Model(structs.replace(model.contract, golden=golden), model.sha256, model.session)

    with pytest.raises(ContractError, match="ends in ValueError: min"):
        make_runtime(altered, Settings())


def test_a_damaged_file_is_refused_or_harmless(content: bytes) -> None:
    """Random changes, even with a correct checksum, give ContractError or a working model."""
    chance = random.Random(3)  # noqa: S311 - to be the same each time
    body = content[: -len(append_checksum(b""))]
    refused = 0
    for _ in range(MUTANTS):
        mutant = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(mutant))
            mutant[place : place + chance.choice([0, 1, 4])] = chance.randbytes(chance.choice([0, 1, 1]))
        refused += is_refused(append_checksum(bytes(mutant)))

    assert MUTANTS / 4 < refused < MUTANTS


def is_refused(content: bytes) -> bool:
    """Whether loading a file raises ContractError."""
    try:
        load_runtime(content, Settings())
    except ContractError:
        return True
    return False


def test_the_self_test_covers_single_rows_and_batches(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single rows are scored by RowSession, batches are not."""

    def fail(session: RowSession, values: Sequence[float | None], *, explain: bool = False) -> Scores:
        raise RuntimeError("no buffers")

    monkeypatch.setattr(RowSession, "score", fail)

    with pytest.raises(ContractError, match="can't be served: answering its golden rows ends in RuntimeError"):
        make_runtime(model, Settings())
